"""How many calls per second we start, all workers together: a token bucket kept in Valkey.

The carrier takes more calls than its limit allows and queues the rest, for up to a day: by the time such a
call rings, the agent meant for it has gone. So we hold back ourselves, and brake when a queue shows all the
same. Valkey away means no call: nobody may start a call that nobody counts.
"""

from datetime import timedelta
from typing import cast

import redis

from callcenter.errors import Unavailable

QUEUE_TOLERATED = timedelta(seconds=2)
"""A call that waits no longer than this in the carrier's queue is not late for its agent."""
LONGEST_BRAKE = timedelta(minutes=5)
KEY_PREFIX = "callcenter:calls:"
_MICROSECOND = timedelta(microseconds=1)
_AWAY = (
    "The queue server cannot be reached, so no call is started. Calls go on by themselves when it is back."
)

# One hash per bucket. `next`: when the next token is due if tokens are taken evenly (microseconds since the
# epoch, by the server's clock); with a burst, tokens may be taken so much earlier. `brake`: none before that.
# Numbers are written with %.0f, because Lua's own form drops digits. A clock set back must not stop calls for
# long, hence the bounds on what is read back.
_TAKE = """
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local interval, burst, longest = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local due = tonumber(redis.call('HGET', KEYS[1], 'next') or '0')
local brake = tonumber(redis.call('HGET', KEYS[1], 'brake') or '0')
if due > now + interval * burst then
  due = now + interval * burst
  redis.call('HSET', KEYS[1], 'next', string.format('%.0f', due))
end
if brake > now + longest then brake = 0 end
local wait = math.max(due - interval * (burst - 1) - now, brake - now)
if wait > 0 then return string.format('%.0f', math.ceil(wait)) end
due = math.max(due, now) + interval
redis.call('HSET', KEYS[1], 'next', string.format('%.0f', due))
redis.call('PEXPIRE', KEYS[1], string.format('%.0f', math.ceil((due - now) / 1000) + 1000))
return '0'
"""
_BRAKE = """
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local brake = tonumber(redis.call('HGET', KEYS[1], 'brake') or '0')
if brake > now + tonumber(ARGV[2]) then brake = 0 end
brake = math.max(brake, now + tonumber(ARGV[1]))
redis.call('HSET', KEYS[1], 'brake', string.format('%.0f', brake))
local left = math.ceil((brake - now) / 1000) + 1000
redis.call('PEXPIRE', KEYS[1], string.format('%.0f', math.max(left, redis.call('PTTL', KEYS[1]))))
return '0'
"""


def brake_for(queue_delay: timedelta) -> timedelta:
    """How long to start no call after the carrier said how long the last one must wait in its queue.

    Zero up to QUEUE_TOLERATED; above it as long as the queue needs to empty, at most LONGEST_BRAKE (the next
    call tells of the rest).
    """
    return timedelta(0) if queue_delay <= QUEUE_TOLERATED else min(queue_delay, LONGEST_BRAKE)


class CallBucket:
    """A bucket that lets `rate_per_s` calls start per second, `burst` of them at once, for all who share `name`.

    In any span of t seconds no more than rate_per_s * t + burst tokens are given out.
    """

    def __init__(self, server: "redis.Redis", rate_per_s: float, name: str, burst: int = 1) -> None:
        if rate_per_s <= 0 or burst < 1:
            raise ValueError("the rate must be above 0 and the burst at least 1")
        self._key = KEY_PREFIX + name
        self._interval = 1_000_000 / rate_per_s
        self._burst = burst
        self._take = server.register_script(_TAKE)
        self._brake = server.register_script(_BRAKE)

    def take(self) -> timedelta:
        """Take a token: zero when a call may be started now, else how long to wait, and none was taken.

        Raises Unavailable when Valkey is away: then no call may be started.
        """
        arguments = (f"{self._interval:.0f}", self._burst, LONGEST_BRAKE // _MICROSECOND)
        try:
            wait = self._take(keys=[self._key], args=arguments)
        except redis.RedisError as error:
            raise Unavailable(_AWAY) from error
        return timedelta(microseconds=int(cast(bytes, wait)))

    def brake(self, for_: timedelta) -> None:
        """Give nobody a token for so long, at most LONGEST_BRAKE; never shortens a brake. Raises Unavailable."""
        if for_ <= timedelta(0):
            return
        arguments = (min(for_, LONGEST_BRAKE) // _MICROSECOND, LONGEST_BRAKE // _MICROSECOND)
        try:
            self._brake(keys=[self._key], args=arguments)
        except redis.RedisError as error:
            raise Unavailable(_AWAY) from error
