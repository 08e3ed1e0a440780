"""Delivery with the real SDK over loopback, the telephones' client, and the process as a whole."""

import os
import signal
import subprocess
import sys
import time
from collections import deque
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from callcenter.demo.__main__ import read_settings
from callcenter.demo.app_client import AppClient
from callcenter.demo.people import Person, draw_person
from callcenter.demo.telephones import SimulatedTelephones, parse_calls

from .servers import FakeCarrier, FakeCollector, served

pytestmark = pytest.mark.slow

NOW = datetime(2026, 1, 14, 3, tzinfo=UTC)
ROOT = Path(__file__).parents[2]
NOBODY = "http://127.0.0.1:9"  # the discard port: nothing listens


def person(index: int = 1) -> Person:
    return draw_person(1, index, NOW)


def a_call(seq: int, phone: str, **changes: Any) -> dict[str, Any]:
    return {
        "sid": "CA1", "to": phone, "from": "+8610", "status": "ringing", "created_at": "t", "ringing_at": "t",
        "answered_at": None, "joined_room_at": None, "room": None, "ended_at": None, "duration_s": None,
        "talked_s": None, "ended_by": None, "seq": seq, **changes,
    }  # fmt: skip


def wait_for(claim: Callable[[], bool], within_s: float = 10.0) -> None:
    deadline = time.monotonic() + within_s
    while not claim():
        assert time.monotonic() < deadline, "did not happen in time"
        time.sleep(0.02)


@pytest.mark.parametrize(
    "refusals",
    [[], [(503, None), (503, None)], [(429, "1")], [(429, None), (500, None)]],
    ids=["none", "503", "429 with Retry-After", "429 then 500"],
)
def test_every_event_is_delivered_though_the_collector_refuses_at_first(
    refusals: list[tuple[int, str | None]],
) -> None:
    collector = FakeCollector(refusals=deque(refusals))
    with served(collector) as url:
        app = AppClient("demo-write-key", url)
        for ordinal in range(30):
            app.report(person(), False, "page", "Loan", {"step": "register", "nth": ordinal}, NOW)
        wait_for(lambda: app.waiting == 0)
        app.close(within_s=1.0)
    assert sorted(message["properties"]["nth"] for message in collector.messages) == list(range(30))
    assert (app.reported, app.dropped, app.refused) == (30, 0, 0)


def test_events_carry_what_the_product_is_promised() -> None:
    collector = FakeCollector()
    who = person()
    with served(collector) as url:
        app = AppClient("demo-write-key", url)
        app.report(who, False, "page", "Loan", {"step": "register"}, NOW)
        app.report(who, True, "identify", "", {"credit_limit": who.credit_limit}, NOW)
        app.report(who, True, "track", "photo_rejected", {"reason": "glare"}, NOW)
        wait_for(lambda: app.waiting == 0)
        app.close(within_s=1.0)
    page, identify, track = collector.messages
    assert (page["type"], page["name"], page["anonymousId"]) == ("page", "Loan", who.anonymous_id)
    assert page.get("userId") is None
    assert page["properties"] == {
        "step": "register",
        "application_id": who.application_id,
        "device": who.device,
        "app_version": who.app_version,
    }
    assert (identify["userId"], identify["anonymousId"]) == (who.user_id, who.anonymous_id)
    assert set(identify["traits"]) == {
        "name", "phone", "gender", "language", "time_zone", "city", "products", "credit_limit",
    }  # fmt: skip
    assert identify["traits"]["phone"] == who.phone
    assert (track["event"], track["properties"]["reason"]) == ("photo_rejected", "glare")
    assert track["properties"]["application_id"] == who.application_id
    assert track["timestamp"].startswith("2026-01-14T03:00:00")


def test_closing_never_waits_longer_than_it_may_when_nobody_listens() -> None:
    app = AppClient("demo-write-key", NOBODY)
    app.report(person(), False, "page", "Loan", {"step": "register"}, NOW)
    began = time.monotonic()
    app.close(within_s=0.3)
    assert time.monotonic() - began < 1.0
    assert app.waiting == 1


def test_numbers_are_told_and_calls_followed() -> None:
    carrier, who = FakeCarrier(), person()
    with served(carrier) as url:
        telephones = SimulatedTelephones(url)
        telephones.announce(who.phone, who.telephone)
        carrier.calls = [a_call(7, who.phone)]
        assert telephones.exchange()
        assert telephones.exchange()
        ringing = telephones.news()
        carrier.calls = [a_call(9, who.phone, answered_at="t", joined_room_at="t", ended_at="t", talked_s=33)]
        assert telephones.exchange()
        ended = telephones.news()
    assert set(carrier.numbers[who.phone]) == {"outcome", "ring_s", "talk_s"}
    assert [(news.ringing, news.ended) for news in ringing] == [(True, False)]
    assert [(news.ended, news.talked_s) for news in ended] == [(True, 33.0)]
    assert telephones.after == 9


def test_talk_is_counted_in_the_seconds_of_a_faster_carrier() -> None:
    carrier = FakeCarrier(speed=10.0, calls=[a_call(1, person().phone, ended_at="t", talked_s=2.0)])
    with served(carrier) as url:
        telephones = SimulatedTelephones(url)
        assert telephones.exchange()
    assert telephones.speed == 10.0
    assert [news.talked_s for news in telephones.news()] == [20.0]


def test_a_carrier_that_was_away_is_told_everything_again() -> None:
    carrier, who = FakeCarrier(refusals=deque([503, 429])), person()
    with served(carrier) as url:
        telephones = SimulatedTelephones(url)
        telephones.announce(who.phone, who.telephone)
        assert [telephones.exchange() for _ in range(3)] == [False, False, True]
    assert telephones.take_carrier_restart()
    assert not telephones.take_carrier_restart()
    assert who.phone in carrier.numbers
    assert not telephones.exchange()


def test_a_carrier_that_counts_anew_is_read_from_its_beginning() -> None:
    carrier, who = FakeCarrier(calls=[a_call(2, person().phone)]), person()
    with served(carrier) as url:
        telephones = SimulatedTelephones(url, after=500)
        assert telephones.exchange()
        assert telephones.take_carrier_restart()
        assert telephones.exchange()
    assert [news.phone for news in telephones.news()] == [who.phone]


def test_a_number_the_carrier_will_not_take_does_not_hold_up_the_others() -> None:
    first, second = person(1), person(2)
    carrier = FakeCarrier(refuses_number=first.phone)
    with served(carrier) as url:
        telephones = SimulatedTelephones(url)
        telephones.announce(first.phone, first.telephone)
        telephones.announce(second.phone, second.telephone)
        assert telephones.exchange()
    assert set(carrier.numbers) == {second.phone}


@pytest.mark.parametrize("body", [None, [], {}, {"seq": "1", "calls": []}, {"seq": 1, "calls": {}}])
def test_an_answer_that_is_no_calls_feed_is_named_as_such(body: object) -> None:
    with pytest.raises(ValueError, match="calls"):
        parse_calls(body)


@pytest.mark.parametrize("name", ["DEMO_PACE", "DEMO_ARRIVALS_PER_MIN"])
@pytest.mark.parametrize("value", ["0", "-1", "nan", "many"])
def test_settings_that_make_no_sense_are_refused(name: str, value: str) -> None:
    with pytest.raises(ValueError, match=r"DEMO_|could not convert"):
        read_settings({name: value})


def start_process(home: Path, url: str, carrier_url: str) -> subprocess.Popen[str]:
    environ = os.environ | {
        "CALLCENTER_URL": url,
        "CARRIER_SIM_URL": carrier_url,
        "CALLCENTER_HOME": str(home),
        "DEMO_PACE": "50",
        "DEMO_ARRIVALS_PER_MIN": "1200",
        "DEMO_AGENTS": "0",
    }
    return subprocess.Popen(
        [sys.executable, "-m", "callcenter.demo"], env=environ, cwd=ROOT, stderr=subprocess.PIPE, text=True
    )


def end_process(process: subprocess.Popen[str]) -> tuple[float, str]:
    began = time.monotonic()
    process.send_signal(signal.SIGTERM)
    _, log = process.communicate(timeout=10)
    assert process.returncode == 0
    return time.monotonic() - began, log


def test_the_process_delivers_until_asked_to_end_and_goes_on_after_a_restart(tmp_path: Path) -> None:
    collector, carrier = FakeCollector(), FakeCarrier()
    with served(collector) as url, served(carrier) as carrier_url:
        process = start_process(tmp_path, url, carrier_url)
        wait_for(lambda: len(collector.messages) > 40 and bool(carrier.numbers), within_s=20)
        took_s, log = end_process(process)
        assert took_s < 2.0
        assert "undelivered=0" in log
        assert "+" not in log.replace("+0000", "")
        followed = set(carrier.numbers)
        carrier.numbers.clear()
        again = start_process(tmp_path, url, carrier_url)
        wait_for(lambda: bool(followed & set(carrier.numbers)), within_s=20)
        end_process(again)
    assert (tmp_path / "demo-state.json").exists()
    ids = [message["messageId"] for message in collector.messages]
    assert len(ids) == len(set(ids))


def test_the_process_ends_in_time_though_neither_product_nor_carrier_is_there(tmp_path: Path) -> None:
    process = start_process(tmp_path, NOBODY, NOBODY)
    time.sleep(2.5)
    assert process.poll() is None
    took_s, log = end_process(process)
    assert took_s < 2.0
    assert "Traceback" not in log
