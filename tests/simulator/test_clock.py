"""The clock: manual time, timers in their order, speeds, and the timer heap itself."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest

from callcenter.telephony.simulator.timers import COMPACT_ABOVE, Timers

from .sim import CALLER, Product, Simulator, start_simulator, wait_for


@pytest.fixture
def standing() -> Iterator[Simulator]:
    simulator = start_simulator(speed=1, arguments=("--manual-clock",))
    yield simulator
    assert simulator.stop() == 0


def advance(simulator: Simulator, seconds: float) -> Any:
    return simulator.control("POST", "clock/advance", {"seconds": seconds}).json()


@pytest.mark.slow
def test_on_a_manual_clock_a_day_passes_in_a_moment_and_in_order(
    standing: Simulator, product: Product
) -> None:
    product.answers["/answer"] = "<Response><Pause length='600'/></Response>"
    sids = []
    for number, ring_s in (("+12025556001", 20), ("+12025556002", 5)):
        standing.set_number(number, outcome="human", ring_s=ring_s, talk_s=120)
        call = standing.twilio.calls.create(
            to=number,
            from_=CALLER,
            url=f"{product.base_url}/answer",
            status_callback=f"{product.base_url}/status",
            status_callback_event=["initiated", "ringing", "answered", "completed"],
        )
        sids.append(call.sid)
    began = datetime.fromisoformat(standing.control("GET", "clock").json()["now"])
    assert product.received == []
    moved = advance(standing, 10)
    assert datetime.fromisoformat(moved["now"]) - began == timedelta(seconds=10)
    assert [standing.call(sid)["status"] for sid in sids] == ["ringing", "in-progress"]
    advance(standing, 3_600)
    assert [standing.call(sid)["status"] for sid in sids] == ["completed", "completed"]
    told = [(params["To"][-1], params["CallStatus"]) for params in product.at("/status")]
    # Patience: nobody is in the room with them, so each hangs up 20 s after it answered.
    assert [each for each in told if each[0] == "2"] == [
        ("2", "initiated"),
        ("2", "ringing"),
        ("2", "in-progress"),
        ("2", "completed"),
    ]
    assert told[-1] == ("1", "completed")
    assert standing.control("GET", "clock").json()["mode"] == "manual"


@pytest.mark.slow
def test_a_running_clock_is_not_advanced_and_nonsense_is_refused(simulator: Simulator) -> None:
    assert simulator.control("POST", "clock/advance", {"seconds": 5}).status_code == 409
    assert simulator.control("POST", "clock/advance", {"seconds": -5}).status_code == 400
    assert simulator.control("POST", "clock", {"mode": "backwards"}).status_code == 400
    assert simulator.control("PUT", "clock", {"speed": 0}).status_code == 400
    shown = simulator.control("GET", "clock").json()
    assert (shown["mode"], shown["speed"]) == ("fast", 50.0)


@pytest.mark.slow
def test_a_clock_that_stood_runs_on_from_where_it_was(standing: Simulator) -> None:
    advance(standing, 3_600)
    before = datetime.fromisoformat(standing.control("GET", "clock").json()["now"])
    shown = standing.control("POST", "clock", {"mode": "real"}).json()
    assert shown["mode"] == "real"
    assert timedelta() <= datetime.fromisoformat(shown["now"]) - before < timedelta(seconds=5)


def test_timers_fire_in_their_order_each_at_its_moment() -> None:
    timers, fired = Timers(1, _fail), []
    timers.stand()
    start = timers.monotonic()
    for seconds in (3, 1, 2):
        timers.after(seconds, lambda: fired.append(round(timers.monotonic() - start)))
    gone = timers.after(1.5, lambda: fired.append(-1))
    gone.cancel()
    timers.after(1, lambda: timers.after(0.5, lambda: fired.append(99)))
    assert timers.advance(2.5, lambda: None) == 4
    assert fired == [1, 99, 2]
    assert timers.advance(0.5, lambda: None) == 1
    assert fired[-1] == 3
    assert timers.waiting() == 0


def test_speeds_stretch_what_is_left_of_scaled_times_only() -> None:
    timers, fired = Timers(10, _fail), []
    timers.after(100, lambda: fired.append("scaled"), scaled=True)
    timers.after(20, lambda: fired.append("plain"))
    timers.stand()  # 10 s were left of the scaled one at speed 10: 100 simulated ones
    timers.advance(50, lambda: None)
    assert fired == ["plain"]
    timers.advance(51, lambda: None)
    assert fired == ["plain", "scaled"]


def test_cancelled_timers_do_not_pile_up() -> None:
    timers = Timers(1, _fail)
    for _ in range(20 * COMPACT_ABOVE):
        timers.after(14_400, lambda: None).cancel()
    assert len(timers._carrier) < 3 * COMPACT_ABOVE


def test_the_timer_thread_outlives_a_broken_action() -> None:
    errors: list[BaseException] = []
    timers, fired = Timers(1, errors.append), []
    timers.start()
    timers.after(0, lambda: 1 / 0)
    timers.after(0.01, lambda: fired.append(1))
    wait_for(lambda: fired)
    timers.stop()
    assert [type(error) for error in errors] == [ZeroDivisionError]


def _fail(error: BaseException) -> None:
    raise error
