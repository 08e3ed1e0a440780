"""Moments: dates that the calendar announces, large sums, a score that crosses its threshold."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlmodel import select

from callcenter import acts, pipeline
from callcenter.backtest.replay import back_test
from callcenter.backtest.values import Extent, Stored
from callcenter.domain.enums import CancelReason, FiringFate, SuppressReason, TaskState
from callcenter.domain.events import EventValue
from callcenter.domain.journey import EventRole
from callcenter.journeys.queries import journeys_loaded
from callcenter.journeys.rules import Place
from callcenter.models import EventSource, JourneyEvent
from callcenter.triggers.policy import read_rule
from tests.factories import Bank
from tests.flow.moments import (
    adopts,
    announced,
    drops_rules,
    example_rule,
    fates,
    goes_through_calendar,
    tracks,
    with_moments,
)

pytestmark = pytest.mark.slow

TASK, SUPPRESSED = FiringFate.TASK, FiringFate.SUPPRESSED
MORNING = datetime(2026, 11, 24, 1, 31, tzinfo=UTC)
"""Half past nine in Shanghai, seven days before the first of December."""
DEPOSIT, ANNIVERSARY = "deposit-matures", "customer-anniversary"


@pytest.fixture
def wealthy(bank: Bank) -> Bank:
    """A bank with the example, whose rules hold nobody out, and without the rules of the sample."""
    drops_rules(bank)
    with_moments(bank)
    for name in (DEPOSIT, ANNIVERSARY, "large-movement", "score-crossed"):
        adopts(bank, example_rule(name), holdout=0)
    return bank


def _day(bank: Bank, at: datetime = MORNING) -> None:
    bank.clock.now = at
    goes_through_calendar(bank)
    bank.ticks()


def test_a_deposit_that_matures_in_a_week_is_a_call_and_its_renewal_ends_it(wealthy: Bank) -> None:
    wealthy.knows("u", deposit_matures_on={"D-17": "2026-12-01"})
    _day(wealthy, MORNING - timedelta(minutes=2))
    assert announced(wealthy) == [], "not before the hour"
    _day(wealthy)
    assert announced(wealthy) == [("deposit_matures", "2026-12-01", "D-17")]
    (task,) = wealthy.tasks()
    assert (task.rule_key, task.journey_key, task.facts["due_on"]) == (DEPOSIT, "D-17", "2026-12-01")
    assert task.script_id == "deposit_general" and task.not_before_at == wealthy.clock.now
    tracks(wealthy, "u", "deposit_renewed", product="D-17")
    wealthy.session.refresh(task)
    assert (task.state, task.cancel_reason) == (TaskState.CANCELED, CancelReason.ADVANCED)


def test_two_deposits_of_a_customer_are_two_courses(wealthy: Bank) -> None:
    wealthy.knows("u", deposit_matures_on={"D-17": "2026-12-01", "D-18": "2026-12-02", "D-19": "2027-12-01"})
    _day(wealthy)
    _day(wealthy, MORNING + timedelta(days=1))
    assert announced(wealthy) == [
        ("deposit_matures", "2026-12-01", "D-17"),
        ("deposit_matures", "2026-12-02", "D-18"),
    ]
    assert [(one.journey_key, one.fate) for one in wealthy.firings()] == [
        ("D-17", TASK),
        ("D-18", SUPPRESSED),
    ]
    assert fates(wealthy)[1][2] == SuppressReason.MERGED, "one call for both: the task is still open"


def test_a_date_without_a_product_is_announced_too(wealthy: Bank) -> None:
    wealthy.knows("u", deposit_matures_on="2026-12-01T00:00:00+08:00")
    _day(wealthy)
    assert announced(wealthy) == [("deposit_matures", "2026-12-01", None)]
    assert [task.journey_key for task in wealthy.tasks()] == [""]


@pytest.mark.parametrize(
    "said", ["soon", "2026-13-01", 20261201, None, ["2026-12-01"], {"D-17": "soon", "D-18": None}, {}]
)
def test_what_is_no_date_is_passed_over(wealthy: Bank, said: Any) -> None:
    wealthy.knows("odd", deposit_matures_on=said)
    wealthy.knows("u", deposit_matures_on="2026-12-01")
    _day(wealthy)
    assert len(announced(wealthy)) == 1


def test_the_calendar_says_everything_once_however_often_it_is_asked(wealthy: Bank) -> None:
    for number in range(5):
        wealthy.knows(f"u{number}", deposit_matures_on="2026-12-01", customer_since="2019-11-24")
    for hours in range(0, 30, 3):
        _day(wealthy, MORNING + timedelta(hours=hours))
    assert len(announced(wealthy)) == 10
    assert goes_through_calendar(wealthy) == 0, "nothing is read a second time on one day"


def test_a_stop_in_the_middle_loses_nobody_and_doubles_nobody(wealthy: Bank) -> None:
    users = [f"u{number}" for number in range(7)]
    for user in users:
        wealthy.knows(user, deposit_matures_on={"D": "2026-12-01"})
    wealthy.clock.now = MORNING
    session, house = wealthy.session, wealthy.house
    chapters = pipeline.dates_due(session, house, MORNING)
    chapter = next(one for one in chapters if one.rule_key == DEPOSIT)
    after = pipeline.announce_dates(session, chapter, MORNING, limit=3)
    session.commit()
    pipeline.announce_dates(session, chapter, MORNING, after, limit=3)
    session.rollback()  # the power goes
    assert len(announced(wealthy)) == 3
    assert chapter in pipeline.dates_due(session, house, MORNING)
    assert goes_through_calendar(wealthy, limit=3) >= 3
    assert len(announced(wealthy)) == 7
    senders = {
        one.customer_id for one in session.exec(select(JourneyEvent).where(JourneyEvent.kind == "track"))
    }
    assert senders == {wealthy.customer(user).id for user in users}


def test_every_customer_is_told_by_their_own_clock_and_the_others_by_the_houses(wealthy: Bank) -> None:
    wealthy.knows("east", deposit_matures_on="2026-12-01")
    wealthy.knows("west", deposit_matures_on="2026-12-01", time_zone="Europe/London")
    wealthy.takes(
        {
            "type": "identify",
            "userId": "unsaid",
            "messageId": "i-unsaid",
            "traits": {"deposit_matures_on": "2026-12-01"},
        }
    )
    told = []
    for hours in (0, 7.5, 8.1):
        _day(wealthy, MORNING + timedelta(hours=hours))
        told.append(len(announced(wealthy)))
    assert told == [1, 1, 3], "the number the house shows lies in many zones, so UTC it is"


def test_an_anniversary_comes_every_year_but_not_on_the_first_day(wealthy: Bank) -> None:
    for user, since in (("old", "2019-11-24"), ("new", "2026-11-24"), ("other", "2019-11-25")):
        wealthy.knows(user, customer_since=since)
    _day(wealthy, MORNING + timedelta(hours=1))
    assert announced(wealthy) == [("customer_anniversary", "2026-11-24", None)]
    _day(wealthy, MORNING.replace(year=2027) + timedelta(hours=1))
    assert announced(wealthy)[1:] == [("customer_anniversary", "2027-11-24", None)] * 2
    wealthy.knows("leap", customer_since="2024-02-29")
    _day(wealthy, datetime(2027, 2, 28, 3, tzinfo=UTC) + timedelta(days=365))
    assert announced(wealthy)[3:] == []
    _day(wealthy, datetime(2029, 2, 28, 3, tzinfo=UTC))
    assert announced(wealthy)[3:] == [("customer_anniversary", "2029-02-28", None)]


def test_a_day_the_calendar_missed_is_made_up_for_but_nothing_from_before_the_rule(wealthy: Bank) -> None:
    wealthy.knows("yesterday", deposit_matures_on="2026-11-30")
    wealthy.knows("long ago", deposit_matures_on="2026-11-26")
    _day(wealthy)
    assert announced(wealthy) == [("deposit_matures", "2026-11-30", None)]
    wealthy.clock.go_on(hours=2)
    adopts(wealthy, {**example_rule(DEPOSIT), "rule": "another"}, holdout=0)
    wealthy.knows("today", deposit_matures_on="2026-12-01")
    _day(wealthy, wealthy.clock.now)
    assert announced(wealthy)[1:] == [], "its hour had passed when the rule went live"
    _day(wealthy, MORNING + timedelta(days=1))
    assert [day for _, day, _ in announced(wealthy)] == ["2026-11-30", "2026-12-01"], (
        "once, by the older rule"
    )


def test_a_paused_rule_announces_nothing_and_nothing_that_passed_meanwhile(wealthy: Bank) -> None:
    wealthy.knows("u", deposit_matures_on="2026-12-01")
    session, agent = wealthy.session, wealthy.agent_id
    acts.switch_rule(session, DEPOSIT, agent, wealthy.clock.now, live=False)
    _day(wealthy)
    wealthy.clock.go_on(hours=3)
    acts.switch_rule(session, DEPOSIT, agent, wealthy.clock.now, live=True)
    _day(wealthy, MORNING + timedelta(days=1))
    assert announced(wealthy) == []


def test_the_calendar_can_be_switched_off_and_nobody_can_send_in_its_name(wealthy: Bank) -> None:
    from callcenter.models import WriteKey

    wealthy.knows("u", deposit_matures_on="2026-12-01")
    goes_through_calendar(wealthy)
    source = wealthy.session.exec(select(EventSource).where(EventSource.name == "calendar")).one()
    assert wealthy.session.exec(select(WriteKey).where(WriteKey.source_id == source.id)).all() == []
    source.is_enabled = False
    _day(wealthy)
    assert announced(wealthy) == []
    source.is_enabled = True
    _day(wealthy)
    assert len(announced(wealthy)) == 1


def test_a_rule_with_a_date_is_back_tested_over_the_events_of_the_calendar(wealthy: Bank) -> None:
    for user in ("a", "b"):
        wealthy.knows(user, deposit_matures_on="2026-12-01")
    _day(wealthy)
    wealthy.clock.go_on(hours=2)
    tracks(wealthy, "a", "deposit_renewed")
    journey = journeys_loaded(wealthy.session)["deposit"]
    raw = {name: value for name, value in example_rule(DEPOSIT).items() if name != "conditions"}
    stored = [_stored(one) for one in wealthy.session.exec(select(JourneyEvent)) if one.journey == "deposit"]
    stored.sort(key=lambda one: one.event.order)
    extent = Extent(len(stored), stored[0].event.received_at, stored[-1].event.received_at)
    tested = back_test(read_rule(raw, journey), journey, stored, extent)
    ids = {str(wealthy.customer(user).id): user for user in ("a", "b")}
    assert sorted(ids[one.customer_id] for one in tested.firings) == ["a", "b"]
    assert [ids[one.customer_id] for one in tested.firings if one.came_back_at] == ["a"]


def _stored(one: JourneyEvent) -> Stored:
    place = Place("deposit", one.journey_key, EventRole(str(one.role)), one.step, str(one.key))
    event = EventValue(
        one.message_id,
        one.kind,
        one.name,
        str(one.key),
        one.event_time,
        one.received_at,
        properties=one.properties,
    )
    return Stored(str(one.customer_id), place, event, timedelta(0))


def test_a_large_sum_is_a_call_once_for_its_transfer(wealthy: Bank) -> None:
    wealthy.knows("u")
    for transaction, direction, amount in (
        ("T1", "out", 199_999),
        ("T2", "in", 900_000),
        ("T3", "out", 200_000),
        ("T3", "out", 200_000),
    ):
        tracks(wealthy, "u", "money_moved", transaction_id=transaction, direction=direction, amount=amount)
        wealthy.ticks()
    assert [(one.journey_key, one.fate) for one in wealthy.firings()] == [("T3", TASK)]
    wealthy.clock.go_on(hours=1)
    tracks(wealthy, "u", "money_moved", transaction_id="T4", direction="out", amount=500_000)
    wealthy.ticks()
    assert fates(wealthy)[1:] == [("large-movement", SUPPRESSED, SuppressReason.COOL_DOWN)]


def test_a_score_is_a_call_when_it_crosses_and_again_only_after_it_fell(wealthy: Bank) -> None:
    wealthy.knows("u")
    wealthy.clock.go_on(days=31)

    def scores(*values: float) -> int:
        for value in values:
            tracks(wealthy, "u", "score_updated", score=value)
            wealthy.clock.go_on(minutes=6)
            wealthy.ticks()
        return len(wealthy.firings())

    assert scores(0.5, 0.79) == 0
    assert scores(0.81) == 1
    assert scores(0.79, 0.85, 0.61, 0.9) == 1, "it trembles around the threshold"
    (task,) = wealthy.tasks()
    assert task.state == TaskState.PENDING
    assert scores(0.59) == 1
    wealthy.session.refresh(task)
    assert (task.state, task.cancel_reason) == (TaskState.CANCELED, CancelReason.RECOVERED)
    assert scores(0.9) == 2
    assert fates(wealthy)[1][1:] == (SUPPRESSED, SuppressReason.COOL_DOWN)
