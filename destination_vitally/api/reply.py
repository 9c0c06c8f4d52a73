"""What an answer of Vitally says: yes, no such thing, no with a reason, or nothing that one can go by."""

from __future__ import annotations

import re
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass, replace
from typing import Any

import requests

from destination_vitally.masking import without_secrets
from vitally_api import answers, bounds

LATER = (408, 409, 423, 425, 429)
"""What a later attempt may get right although Vitally is well: somebody else is at the row, or too many are."""

NO_ANSWER = 0
"""The status of a request to which no answer arrived."""

_EXISTS = re.compile(r"\balready\b|\bduplicate|\btaken\b|\bunique\b|\bexist", re.IGNORECASE)
_EXISTS_NOT = re.compile(
    r"(?:\b(?:not?|none|never|cannot)\b|n't\b)[^.:;]*\bexist|\bnon-?exist|\bmust exist", re.IGNORECASE
)


@dataclass(frozen=True)
class Reply:
    """An answer: its status, its JSON (None when it is empty or no JSON), and the text of what is no JSON.

    `problem` says why one cannot go by the answer, where that is the last word on a request that was tried for long.
    `bound` says which bound the answer of a read broke, so that it was not read to its end.
    `time` is what the server's clock said, in Unix seconds without fraction, if it said so.
    """

    status: int
    body: Any
    text: str
    problem: str = ""
    time: float | None = None
    bound: str = ""

    @property
    def ok(self) -> bool:
        """Whether Vitally did what it was asked to."""
        return not (self.problem or self.bound) and 200 <= self.status < 300 and not answers.says_failure(self.body)

    @property
    def is_miss(self) -> bool:
        """Whether Vitally says that there is no such thing; an answer that is not JSON may be somebody else's."""
        return not self.problem and self.body is not None and answers.is_miss(self.status, self.body)

    @property
    def is_conflict(self) -> bool:
        """Whether Vitally says that there is such a row already: by a 409, or by a refusal in words of that meaning."""
        if self.problem or self.status not in (400, 409, 422):
            return False
        return self.status == 409 or bool(_EXISTS.search(self.reason) and not _EXISTS_NOT.search(self.reason))

    @property
    def is_page(self) -> bool:
        """Whether it is a page for people, as firewalls and gateways send."""
        return self.text.lstrip("\ufeff \t\r\n").startswith("<")

    @property
    def reason(self) -> str:
        """Vitally's words, in one line."""
        if self.bound and not self.problem:
            return self.bound
        words = answers.reason(self.body, "" if self.is_page else self.text, without_secrets)
        if self.is_page:
            words = "a page instead of an answer, as a firewall or a gateway sends it"
        if self.problem:
            return f"{self.problem}{f' ({words})' if words else ''}, again and again, while it answers other requests"
        if self.is_page:
            return f"HTTP {self.status} with {words}"
        return words or f"HTTP {self.status} without a reason"

    def given_up(self, problem: str) -> Reply:
        """Return the answer as the last word on its request."""
        return replace(self, problem=problem)


class RetryableError(Exception):
    """An attempt failed in a way that a later one may not.

    `reply` is the last word if no later one does better, `asked` how long Vitally asks to wait, `busy` whether all have
    to wait.
    """

    def __init__(self, problem: str, reply: Reply, asked: float = 0.0, *, busy: bool = False) -> None:
        super().__init__(problem)
        self.reply = reply
        self.asked = asked
        self.busy = busy


def read(response: requests.Response, largest: int, turn: AbstractContextManager[Any]) -> Reply:
    """Return what a response says, up to so many bytes; of a refusal its beginning is enough.

    `turn` is held while a large answer is read and taken apart.

    Raises:
        urllib3.exceptions.HTTPError: the answer broke off.
    """
    bound, content = "", b""
    with ExitStack() as held:
        try:
            is_read = response.request.method != "DELETE"
            content = bounds.content_of(response, largest, lambda: held.enter_context(turn), is_read=is_read)
        except bounds.TooLargeError as error:
            bound = str(error)
        response._content = content  # the one way to have its text decoded
        try:
            body = answers.parse(response.content)
        except ValueError:
            body = None
        text = "" if body is not None else response.text
    sent = answers.server_time(response.headers)
    return Reply(response.status_code, body, text, time=sent.timestamp() if sent else None, bound=bound)


def retryable_problem(method: str, reply: Reply, *, proven: bool) -> str:
    """Say what is wrong with an answer that a later attempt may get right; nothing when nothing is.

    Args:
        method: Of the request.
        reply: The answer.
        proven: Whether the same API has answered before, so that its address must be right.
    """
    if reply.status == 429:
        return "HTTP 429 (too many requests)"
    if reply.status >= 500 or reply.status in LATER or reply.status < 200:
        return f"HTTP {reply.status}"
    if reply.status == 404 and reply.body is None and proven:
        return "HTTP 404 without a word from Vitally"
    if reply.status < 300 and method != "DELETE" and reply.text.strip():
        return "something that is not JSON"
    if method == "GET" and reply.ok and not _holds_rows(reply.body):
        return "neither a row nor a page of rows"
    return ""


def _holds_rows(body: Any) -> bool:
    """Whether an answer to GET has a row or rows: a page that lacks them, taken for empty, would hide what exists."""
    rows = body.get("results") if isinstance(body, dict) and "id" not in body else [body]
    rows = body if isinstance(body, list) else rows
    return isinstance(rows, list) and all(isinstance(row, dict) for row in rows)
