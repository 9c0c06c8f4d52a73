"""The request budget: a token bucket per API key, told to the client in one of several dialects."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from email.utils import format_datetime
from typing import Literal

Dialect = Literal["ratelimit", "x-ratelimit", "x-ratelimit-epoch", "retry-after", "retry-after-date", "none"]


@dataclass
class Bucket:
    tokens: float
    filled_at: float


@dataclass
class Limits:
    """`requests_per_minute` units refill evenly; a write costs `write_cost`.

    `ratelimit` is what Vitally's docs print (`RateLimit-Reset` = seconds until ONE unit refills); the other
    dialects are readings found in clients. Each API key has a bucket of its own, full at the start.
    """

    requests_per_minute: int = 1000
    write_cost: int = 1
    dialect: Dialect = "ratelimit"
    monotonic: Callable[[], float] = time.monotonic
    buckets: dict[str, Bucket] = field(default_factory=dict, repr=False)

    def take(self, key: str, method: str) -> bool:
        """Spend what a request costs; False when the bucket holds less."""
        cost = 1 if method == "GET" else self.write_cost
        bucket = self._refilled(key)
        if bucket.tokens < cost:
            return False
        bucket.tokens -= cost
        return True

    def headers(self, key: str, now: datetime, refused: bool) -> dict[str, str]:
        """Return the headers of an answer given at `now`."""
        bucket = self._refilled(key)
        remaining = math.floor(bucket.tokens)
        wait = 0
        if bucket.tokens < self.requests_per_minute:
            wait = math.ceil((remaining + 1 - bucket.tokens) * 60 / self.requests_per_minute)
        if self.dialect.startswith("retry-after"):
            return {"Retry-After": self._retry_after(now, max(wait, 1))} if refused else {}
        if self.dialect == "none":
            return {}
        if self.dialect == "ratelimit":
            prefix, limit = "", f"{self.requests_per_minute}, {self.requests_per_minute};window=60"
        else:
            prefix, limit = "X-", str(self.requests_per_minute)
        reset = wait if self.dialect != "x-ratelimit-epoch" else math.ceil(now.timestamp()) + wait
        return {
            f"{prefix}RateLimit-Limit": limit,
            f"{prefix}RateLimit-Remaining": str(remaining),
            f"{prefix}RateLimit-Reset": str(reset),
        }

    def _retry_after(self, now: datetime, seconds: int) -> str:
        if self.dialect == "retry-after":
            return str(seconds)
        return format_datetime(now + timedelta(seconds=seconds), usegmt=True)

    def _refilled(self, key: str) -> Bucket:
        now = self.monotonic()
        bucket = self.buckets.setdefault(key, Bucket(self.requests_per_minute, now))
        gained = (now - bucket.filled_at) * self.requests_per_minute / 60
        bucket.tokens = min(self.requests_per_minute, bucket.tokens + gained)
        bucket.filled_at = now
        return bucket
