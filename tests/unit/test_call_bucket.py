"""The bucket of calls: whatever the workers do, no more calls start than the rate allows, and none unseen."""

import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import timedelta

import pytest
import redis
from hypothesis import given
from hypothesis import strategies as st

from callcenter.errors import Unavailable
from callcenter.telephony.bucket import (
    KEY_PREFIX,
    LONGEST_BRAKE,
    QUEUE_TOLERATED,
    CallBucket,
    brake_for,
)

ZERO = timedelta(0)
# Takes what it gets for two seconds, as fast as it can, and prints how many it got and the span it took.
GREEDY = """
import sys, time, redis
from callcenter.telephony.bucket import CallBucket
bucket = CallBucket(redis.Redis.from_url(sys.argv[1]), float(sys.argv[2]), "greedy", int(sys.argv[3]))
print("ready", flush=True)
sys.stdin.readline()
start, got = time.monotonic(), 0
while time.monotonic() - start < 2:
    got += not bucket.take()
print(got, flush=True)
"""


@pytest.fixture
def server(redis_url: str) -> "Iterator[redis.Redis]":
    with redis.Redis.from_url(redis_url) as client:
        yield client


@pytest.mark.parametrize(("rate", "burst"), [(20.0, 1), (7.5, 4)])
def test_four_workers_together_never_exceed_the_rate(redis_url: str, rate: float, burst: int) -> None:
    command = [sys.executable, "-c", GREEDY, redis_url, str(rate), str(burst)]
    pipe = subprocess.PIPE
    workers = [subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True) for _ in range(4)]
    try:
        for worker in workers:
            assert worker.stdout and worker.stdout.readline() == "ready\n"
        start = time.monotonic()
        for worker in workers:
            assert worker.stdin
            worker.stdin.write("go\n")
            worker.stdin.flush()
        got = [int(worker.stdout.readline()) for worker in workers if worker.stdout]
        span = time.monotonic() - start
    finally:
        for worker in workers:
            worker.communicate(timeout=5)
    assert sum(got) <= rate * span + burst
    assert sum(got) >= rate * 2 * 0.7, "and they get nearly all of it, whoever is faster"


def test_who_gets_none_is_told_how_long_to_wait_and_takes_none(server: "redis.Redis") -> None:
    bucket = CallBucket(server, 0.5, "slow")
    assert bucket.take() == ZERO
    waits = [bucket.take() for _ in range(5)]
    assert all(timedelta(seconds=1.5) < wait <= timedelta(seconds=2) for wait in waits)
    assert waits == sorted(waits, reverse=True), "asking does not push the next token away"


def test_a_wait_that_was_kept_is_enough(server: "redis.Redis") -> None:
    bucket = CallBucket(server, 20, "kept")
    assert bucket.take() == ZERO
    time.sleep(bucket.take().total_seconds())
    assert bucket.take() == ZERO


def test_a_burst_is_given_at_once_and_no_more(server: "redis.Redis") -> None:
    bucket = CallBucket(server, 0.1, "burst", burst=3)
    assert [bucket.take() == ZERO for _ in range(4)] == [True, True, True, False]


def test_buckets_of_other_names_do_not_share(server: "redis.Redis") -> None:
    assert [CallBucket(server, 0.1, name).take() for name in ("one", "two")] == [ZERO, ZERO]


def test_a_brake_stops_everybody_and_is_never_shortened(server: "redis.Redis") -> None:
    one, other = CallBucket(server, 100, "braked"), CallBucket(server, 100, "braked")
    one.brake(timedelta(seconds=30))
    one.brake(timedelta(seconds=1))
    one.brake(ZERO)
    assert timedelta(seconds=29) < other.take() <= timedelta(seconds=30)
    one.brake(timedelta(days=1))
    assert timedelta(minutes=4) < other.take() <= LONGEST_BRAKE


def test_a_brake_ends_by_itself(server: "redis.Redis") -> None:
    bucket = CallBucket(server, 100, "ends")
    bucket.brake(timedelta(milliseconds=40))
    assert bucket.take() > ZERO
    time.sleep(0.05)
    assert bucket.take() == ZERO


def test_keys_expire_by_themselves(server: "redis.Redis") -> None:
    bucket = CallBucket(server, 10, "fading")
    bucket.take()
    assert 0 < server.pttl(KEY_PREFIX + "fading") <= 1200
    bucket.brake(timedelta(seconds=20))
    assert 20_000 < server.pttl(KEY_PREFIX + "fading") <= 21_000


def test_a_clock_set_back_or_a_forgotten_script_stops_nobody_for_long(server: "redis.Redis") -> None:
    bucket = CallBucket(server, 10, "clock")
    tomorrow = (time.time() + 86_400) * 1_000_000
    server.hset(KEY_PREFIX + "clock", mapping={"next": f"{tomorrow:.0f}", "brake": f"{tomorrow:.0f}"})
    assert bucket.take() <= timedelta(milliseconds=100)
    server.script_flush()
    time.sleep(0.11)
    assert bucket.take() == ZERO


def test_without_its_server_it_lets_nobody_through() -> None:
    bucket = CallBucket(redis.Redis(port=1, socket_connect_timeout=0.2, retry=None), 1, "away")
    with pytest.raises(Unavailable):
        bucket.take()
    with pytest.raises(Unavailable):
        bucket.brake(timedelta(seconds=1))


@pytest.mark.parametrize(("rate", "burst"), [(0, 1), (-1, 1), (1, 0)])
def test_a_bucket_that_gives_nothing_is_refused(server: "redis.Redis", rate: float, burst: int) -> None:
    with pytest.raises(ValueError, match="rate must be above 0"):
        CallBucket(server, rate, "none", burst)


@given(st.timedeltas(min_value=ZERO, max_value=timedelta(days=1)))
def test_a_brake_is_for_a_queue_that_is_late_and_has_an_end(queue_delay: timedelta) -> None:
    brake = brake_for(queue_delay)
    assert (brake > ZERO) == (queue_delay > QUEUE_TOLERATED)
    assert brake <= min(queue_delay, LONGEST_BRAKE)
