"""How often somebody may ask; counted at the doorbell, open when that is away."""

import hashlib
from dataclasses import dataclass
from datetime import datetime

from redis import RedisError

from callcenter.intake import policy
from callcenter.runtime import Runtime

_TRIES_PER_MINUTE = 10


@dataclass(frozen=True, slots=True)
class Exceeded:
    """A limit is exceeded: how many seconds to wait, and when it ends in seconds since 1970."""

    retry_after_s: int
    resets_at: int


def sign_in_limit(runtime: Runtime, address: str, login: str) -> bool:
    """Count one try of this address for this login; False when there were too many in this minute."""
    key = f"sign-in:{address}:{login.strip().lower()[:60]}"
    try:
        tries = int(runtime.redis.incr(key))
        runtime.redis.expire(key, 60, nx=True)  # each time: a count left without an end would bar for ever
    except RedisError:
        return True
    return tries <= _TRIES_PER_MINUTE


def collector_limit(
    runtime: Runtime, write_key: str, now: datetime, most: int = policy.MAX_REQUESTS_PER_SECOND
) -> Exceeded | None:
    """Count one request of this write key in this second; None while it has not sent more than `most`.

    Asked before the database is, so that a sender gone wild costs a count and no query.
    """
    key = collector_count(write_key, now)
    try:
        counting = runtime.redis.pipeline(transaction=False)
        counting.incr(key)
        counting.expire(key, 2)
        requests = int(counting.execute()[0])
    except RedisError:
        return None
    if requests <= most:
        return None
    return Exceeded(retry_after_s=1, resets_at=int(now.timestamp()) + 1)


def collector_count(write_key: str, now: datetime) -> str:
    """Name the count of a write key's requests in this second; the key itself is not kept there."""
    digest = hashlib.sha256(write_key.encode()).hexdigest()
    return f"collector:{digest[:32]}:{int(now.timestamp())}"
