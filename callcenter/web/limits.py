"""How often somebody may ask; counted at the doorbell, open when that is away."""

import hashlib
from dataclasses import dataclass
from datetime import datetime

from redis import RedisError

from callcenter.intake import policy
from callcenter.runtime import Runtime

_TRIES_PER_MINUTE = 10
_SURVEY_LOOKS_PER_MINUTE = 10
_SURVEYS_PER_ADDRESS = 300
"""A minute. A whole office, or a proxy, may have one address."""


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


def survey_limit(runtime: Runtime, address: str, token: str) -> bool:
    """Count one look at a survey's link; False when the link, or the address, asked too often in this minute."""
    link = hashlib.sha256(token.encode("utf-8", "replace")).hexdigest()[:32]
    try:
        counting = runtime.redis.pipeline(transaction=False)
        for key in (f"survey:{link}", f"survey-address:{address}"):
            counting.incr(key)
            counting.expire(key, 60, nx=True)
        by_link, _, by_address, _ = counting.execute()
    except RedisError:
        return True
    return int(by_link) <= _SURVEY_LOOKS_PER_MINUTE and int(by_address) <= _SURVEYS_PER_ADDRESS


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
