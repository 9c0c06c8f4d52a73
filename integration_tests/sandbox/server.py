"""The workspace served over HTTP on loopback: authentication, limits, faults, then the API itself."""

from __future__ import annotations

import asyncio
import base64
import binascii
from collections.abc import Mapping
from datetime import datetime
from email.utils import format_datetime
from itertools import count
from threading import Event, Thread
from types import TracebackType
from typing import Any, ClassVar
from urllib.parse import parse_qsl

import orjson
from aiohttp import web

from integration_tests.sandbox.analytics import Analytics
from integration_tests.sandbox.data.workspace import Workspace
from integration_tests.sandbox.rest.api import Rest
from integration_tests.sandbox.seed import fill
from integration_tests.sandbox.wire.clock import Clock
from integration_tests.sandbox.wire.faults import Fault, Faults
from integration_tests.sandbox.wire.limits import Limits
from integration_tests.sandbox.wire.makers import Makers
from integration_tests.sandbox.wire.messages import ApiError, Hook, Journal, Reply, Request
from integration_tests.sandbox.wire.switches import Switches

REST = "/resources"
ANALYTICS = "/analytics/v1"
HOST = "127.0.0.1"


class Sandbox:
    """A workspace as Vitally would serve it. REST is at `{url}/resources`, Analytics at `{url}/analytics/v1`.

    `sizes` says how many rows of which resource the seed makes up; `empty` leaves only the definitions. Ids are made
    from `ids`, any text, as rows are from the seed; without it, from the seed as well.
    """

    served: ClassVar[list[Sandbox]] = []
    """Those that are served by this process now."""

    def __init__(
        self,
        *,
        seed: int = 1,
        ids: str = "",
        sizes: Mapping[str, int] | None = None,
        empty: bool = False,
        switches: Switches | None = None,
        clock: Clock | None = None,
        limits: Limits | None = None,
        port: int = 0,
        rest_key: str = "sk_live_example_not_real",
        analytics_token: str = "analytics_example_not_real",
    ) -> None:
        self.clock = clock or Clock()
        self.workspace = Workspace(self.clock, switches or Switches(), ids or str(seed))
        fill(self.workspace, None if empty else seed, sizes or {})
        self.limits = limits
        self.faults = Faults()
        self.makers = Makers()
        """Who else is at work in the workspace."""
        self.journal = Journal()
        self.after_page: Hook | None = None
        """Called with each REST list page after it has been computed and before it is sent."""
        self.rest_key = rest_key
        self.analytics_token = analytics_token
        self.rest = Rest(self.workspace)
        self.analytics = Analytics(self.workspace)
        self.url = ""
        self._port = port
        self._indices = count()
        self._stopped_date: datetime | None = None
        self.under_way = 0
        self.most_under_way = 0
        """The most requests that were answered at once so far."""
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: Thread | None = None
        self._stop = asyncio.Event()
        self._failure: BaseException | None = None

    @property
    def switches(self) -> Switches:
        """Read on every request."""
        return self.workspace.switches

    @switches.setter
    def switches(self, switches: Switches) -> None:
        self.workspace.switches = switches

    def start(self) -> Sandbox:
        """Serve from a thread of its own; OSError when the port is taken."""
        ready = Event()
        self._thread = Thread(target=lambda: asyncio.run(self._serve(ready)), name="sandbox", daemon=True)
        self._thread.start()
        ready.wait()
        if self._failure is not None:
            raise self._failure
        self.served.append(self)
        return self

    def stop(self) -> None:
        if self._loop is not None and self._thread is not None:
            self._loop.call_soon_threadsafe(self._stop.set)
            self._thread.join()
            self._loop = self._thread = None
            self.served.remove(self)

    def __enter__(self) -> Sandbox:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def expire_cursors(self) -> None:
        """Refuse every page cursor issued so far."""
        self.rest.lists.epoch += 1

    async def _serve(self, ready: Event) -> None:
        # What is held for the server is held in circles, until somebody looks for garbage: not the workspace.
        served = [self]

        async def answer(incoming: web.Request) -> web.StreamResponse:
            return await served[0]._answer(incoming)

        async def prepare(_: web.Request, response: web.StreamResponse) -> None:
            served[0]._prepare(response)

        app = web.Application(client_max_size=256 * 1024**2)
        app.router.add_route("*", "/{path:.*}", answer)
        app.on_response_prepare.append(prepare)
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await runner.setup()
        try:
            await web.TCPSite(runner, HOST, self._port).start()
            self.url = f"http://{HOST}:{runner.addresses[0][1]}"
            self._loop = asyncio.get_running_loop()
            self._stop = asyncio.Event()
            ready.set()
            await self._stop.wait()
        except Exception as error:
            self._failure = error
        finally:
            ready.set()
            await runner.cleanup()
            served.clear()

    def _prepare(self, response: web.StreamResponse) -> None:
        if self.switches.no_date_header:
            response.headers.pop("Date", None)
        else:
            now = self.clock.now()
            self._stopped_date = (self._stopped_date or now) if self.switches.date_stands_still else None
            response.headers["Date"] = format_datetime(self._stopped_date or now, usegmt=True)

    async def _answer(self, incoming: web.Request) -> web.StreamResponse:
        self.under_way += 1
        self.most_under_way = max(self.most_under_way, self.under_way)
        try:
            return await self._answer_one(incoming)
        finally:
            self.under_way -= 1

    async def _answer_one(self, incoming: web.Request) -> web.StreamResponse:
        raw = await incoming.read()
        path = incoming.rel_url.raw_path
        query = dict(parse_qsl(incoming.rel_url.raw_query_string, keep_blank_values=True))
        body = _parsed(raw)
        if raw and incoming.content_type != "application/json" and self.switches.content_type_required:
            body = NOT_JSON
        request = Request(next(self._indices), incoming.method, path, query, body, size=len(raw))
        delay, fault = self.faults.hitting(request.method, path)
        if delay := delay + self.switches.latency:
            await asyncio.sleep(delay)
        request.fault = fault.kind if fault else "latency" if delay > self.switches.latency else None
        await self._let_others(request, "before")
        if fault is not None and fault.kind in ("drop", "status", "html"):
            await self._let_others(request, "after")
            return self._instead(incoming, request, fault)
        reply, body = self._reply(request, incoming.headers.get("Authorization"))
        if reply.page is not None and self.after_page is not None:
            # In another thread, so that the hook may itself send requests here.
            await asyncio.get_running_loop().run_in_executor(None, self.after_page, reply.page)
        await self._let_others(request, "after")
        request.status = reply.status
        self.journal.record(request)
        if fault is not None:
            return await self._damaged(incoming, request, fault, reply, body)
        return _response(reply.status, body, reply.headers)

    async def _let_others(self, request: Request, when: str) -> None:
        for maker in self.makers.acting(request, when):
            # In another thread, so that they may themselves send requests here.
            await asyncio.get_running_loop().run_in_executor(None, maker.acts, request)

    def _reply(self, request: Request, authorization: str | None) -> tuple[Reply, bytes]:
        headers: dict[str, str] = {}
        limits = self.limits
        with self.workspace.settled():
            try:
                half = self._half(request.path)
                self._authenticate(half, authorization)
                if limits is not None:
                    granted = limits.take(half, request.method)
                    headers = limits.headers(half, self.clock.now(), refused=not granted)
                    if not granted:
                        raise ApiError(429, "Too many requests.")
                reply = self._dispatch(half, request)
            except ApiError as error:
                reply = Reply(error.status, {self.switches.refusal_member: error.error})
            reply.headers.update(headers)
            mark = b"\xef\xbb\xbf" if self.switches.byte_order_mark else b""
            return reply, mark + reply.encoded(numeric_ids=self.switches.numeric_ids)

    def _dispatch(self, half: str, request: Request) -> Reply:
        limit = self.switches.max_body_bytes
        if limit is not None and request.size > limit:
            raise ApiError(413, f"The body is larger than {limit} bytes.")
        if request.body is NOT_JSON:
            request.body = None
            raise ApiError(400, "The body is not JSON, or its Content-Type is not application/json.")
        api = self.rest if half == REST else self.analytics
        return api.handle(request, request.path[len(half) :])

    def _half(self, path: str) -> str:
        for half in (REST, ANALYTICS):
            if path.startswith(half + "/"):
                return half
        raise ApiError(404, f"Not found: {path}")

    def _authenticate(self, half: str, authorization: str | None) -> None:
        if authorization is None:
            raise ApiError(401, "Authorization header not present.")
        scheme, _, credentials = authorization.partition(" ")
        if half == REST:
            try:
                credentials = base64.b64decode(credentials, validate=True).decode()
            except (binascii.Error, ValueError):
                credentials = ""
        expected = f"{self.rest_key}:" if half == REST else self.analytics_token
        if scheme.lower() != "basic" or credentials != expected:
            raise ApiError(401, "Authorization header is not valid.")

    def _instead(self, incoming: web.Request, request: Request, fault: Fault) -> web.StreamResponse:
        if fault.kind == "drop":
            self.journal.record(request)
            return _dropped(incoming)
        request.status = fault.status
        self.journal.record(request)
        return self._refusal(fault)

    def _refusal(self, fault: Fault) -> web.Response:
        if fault.kind == "html":
            page = fault.body or "<html><body><h1>Bad gateway</h1></body></html>"
            content = page if isinstance(page, bytes) else str(page).encode()
            return _response(fault.status, content, {"Content-Type": "text/html", **fault.headers})
        body = {"error": "The sandbox was told to fail."} if fault.body is None else fault.body
        encoded = body.encode() if isinstance(body, str) else orjson.dumps(body)
        return _response(fault.status, encoded, fault.headers)

    async def _damaged(
        self, incoming: web.Request, request: Request, fault: Fault, reply: Reply, body: bytes
    ) -> web.StreamResponse:
        if fault.kind == "status_after":
            request.status = fault.status
            return self._refusal(fault)
        if fault.kind == "not_json":
            return _response(reply.status, b'{"results": [', reply.headers)
        if fault.kind == "no_results":
            return _response(reply.status, b'{"next": null, "atEnd": true}', reply.headers)
        if fault.kind == "truncate":
            response = web.StreamResponse(status=reply.status, headers={"Content-Type": "application/json"})
            response.content_length = len(body) + 100
            await response.prepare(incoming)
            await response.write(body[: len(body) // 2])
        return _dropped(incoming)


NOT_JSON = object()


def _parsed(raw: bytes) -> Any:
    if not raw:
        return None
    try:
        return orjson.loads(raw)
    except orjson.JSONDecodeError:
        return NOT_JSON


def _response(status: int, body: bytes, headers: Mapping[str, str]) -> web.Response:
    kind = {"Content-Type": "application/json; charset=utf-8"} if body else {}
    return web.Response(status=status, body=body, headers={**kind, **headers})


def _dropped(incoming: web.Request) -> web.Response:
    """Close the connection; the response is never sent."""
    if incoming.transport is not None:
        incoming.transport.close()
    return web.Response()
