"""How often somebody may try to sign in; counted at the doorbell, open when that is away."""

from redis import RedisError

from callcenter.runtime import Runtime

_TRIES_PER_MINUTE = 10


def sign_in_limit(runtime: Runtime, address: str, login: str) -> bool:
    """Count one try of this address for this login; False when there were too many in this minute."""
    key = f"sign-in:{address}:{login.strip().lower()[:60]}"
    try:
        tries = int(runtime.redis.incr(key))
        runtime.redis.expire(key, 60, nx=True)  # each time: a count left without an end would bar for ever
    except RedisError:
        return True
    return tries <= _TRIES_PER_MINUTE
