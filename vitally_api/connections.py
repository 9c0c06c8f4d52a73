"""Connections whose answers have a deadline, and that on Airbyte Cloud lead to public addresses only. For urllib3."""

from __future__ import annotations

import os
import socket
from contextlib import suppress
from typing import Any

from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool

from vitally_api import cloud
from vitally_api.bounds import TimedResponse


class _Bounded(HTTPConnection):
    response_class = TimedResponse

    def _new_conn(self) -> socket.socket:
        if self.proxy or not cloud.is_cloud(os.environ):  # a proxy looks the name up by itself
            return super()._new_conn()
        with suppress(socket.gaierror):
            cloud.prove_public(self._dns_host, self.port or 443)
        made = super()._new_conn()
        try:
            cloud.prove_public(str(made.getpeername()[0]), self.port or 443)
        except OSError:
            made.close()
            raise
        return made


class _BoundedHttps(_Bounded, HTTPSConnection):
    """The same by https."""


class _Pool(HTTPConnectionPool):
    ConnectionCls = _Bounded


class _HttpsPool(HTTPSConnectionPool):
    ConnectionCls = _BoundedHttps


_POOLS = {"http": _Pool, "https": _HttpsPool}


class BoundedAdapter:
    """Makes an adapter of requests, with which it is mixed, open such connections, with and without a proxy."""

    poolmanager: Any

    def init_poolmanager(self, *args: Any, **more: Any) -> None:
        """Prepare for connections without a proxy."""
        super().init_poolmanager(*args, **more)  # type: ignore[misc]
        self.poolmanager.pool_classes_by_scheme = _POOLS

    def proxy_manager_for(self, *args: Any, **more: Any) -> Any:
        """Return what makes connections by a proxy."""
        manager = super().proxy_manager_for(*args, **more)  # type: ignore[misc]
        manager.pool_classes_by_scheme = _POOLS
        return manager
