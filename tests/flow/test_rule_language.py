"""Every word of the rule language does what it says, from the event to the firing and what becomes of it."""

from collections.abc import Collection, Mapping
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlmodel import select

from callcenter.domain.enums import CancelReason, Cause, FiringFate, SuppressReason, TaskState
from callcenter.journeys.queries import journeys_loaded
from callcenter.journeys.records import visits_open_on
from callcenter.learning.queries import counts_per_rule
from callcenter.models import Outcome
from callcenter.triggers import service as triggers
from callcenter.triggers.conditions import NEVER
from callcenter.triggers.history import About, about_customers
from callcenter.triggers.queries import current_rules
from tests.factories import Bank, user_in_arm
from tests.flow.moments import Said, adopts, calls, drops_rules, fates, tracks, with_moments

TROUBLE = {"step": "id_photo", "preset": "trouble", "errors": ["photo_rejected"], "holdout": 0}
TASK, SUPPRESSED, HELD_OUT = FiringFate.TASK, FiringFate.SUPPRESSED, FiringFate.HELD_OUT
COOL, SHADOWED, MERGED = SuppressReason.COOL_DOWN, SuppressReason.SHADOWED, SuppressReason.MERGED
WEEK = timedelta(days=7)


@pytest.fixture
def quiet(bank: Bank) -> Bank:
    """The bank without the rules of the sample."""
    drops_rules(bank)
    return bank


def _is(field: str, op: str, value: Any) -> dict[str, Any]:
    return {"field": field, "op": op, "value": value}


def _stumbles(bank: Bank, user: str, application: str = "a1", **said: Any) -> None:
    """A customer comes to the ID photo of an application, has one refused, and the ticks run."""
    bank.sends(user, "id_photo_front", application_id=application)
    bank.clock.go_on(seconds=10)
    bank.sends(user, "photo_rejected", application_id=application, **{"reason": "glare", **said})
    bank.ticks()


# -- which events count -----------------------------------------------------------------------------------


def test_k_times_within_a_span_and_only_those_that_say_so(quiet: Bank) -> None:
    where = _is("event.reason", "=", "glare")
    adopts(quiet, {"rule": "r", **TROUBLE, "times": 2, "within": "1m", "where": where})
    quiet.knows("u")
    for reason, wait in (("glare", 90), ("blurred", 20), ("glare", 70), ("blurred", 20)):
        quiet.sends("u", "photo_rejected", reason=reason)
        quiet.clock.go_on(seconds=wait)
    quiet.ticks()
    assert fates(quiet) == []
    for _ in range(2):
        quiet.sends("u", "photo_rejected", reason="glare")
        quiet.clock.go_on(seconds=30)
    quiet.ticks()
    assert fates(quiet) == [("r", TASK, None)]


# -- what happened before ---------------------------------------------------------------------------------


def test_history_begins_with_a_call_and_ends_with_its_span(quiet: Bank) -> None:
    asked = {f"history.{name}": WEEK for name in ("called", "reached", "converted", "fired", "refused")}
    adopts(quiet, {"rule": "r", **TROUBLE, "goal": "face_scan"})
    customer = quiet.knows("u")
    began = quiet.clock.now

    def history() -> Mapping[str, datetime]:
        quiet.session.flush()
        return about_customers(quiet.session, [customer.id], asked, quiet.clock.now)[customer.id].history

    assert history() == dict.fromkeys(asked, NEVER)
    _stumbles(quiet, "u")
    (task,) = quiet.tasks()
    assert {name for name, at in history().items() if at != NEVER} == {"history.fired"}
    dialed_at = calls(quiet, task, Said("not_interested", (Cause.NEED,)))
    known = history()
    assert known["history.called"] == known["history.reached"] == dialed_at
    assert known["history.refused"] == quiet.clock.now and known["history.converted"] == NEVER
    quiet.sends("u", "face_scan")
    assert history()["history.converted"] == quiet.clock.now
    quiet.clock.now = began + WEEK + timedelta(minutes=5)
    assert history() == dict.fromkeys(asked, NEVER)


def test_a_rule_that_wants_no_call_lately_leaves_a_customer_in_peace_until_then(quiet: Bank) -> None:
    adopts(quiet, {"rule": "r", **TROUBLE, "conditions": _is("history.called", "not within", "7d")})
    quiet.knows("u")
    _stumbles(quiet, "u", "a1")
    calls(quiet, quiet.tasks()[0], Said("will_finish"))
    _stumbles(quiet, "u", "a2")
    assert fates(quiet) == [("r", TASK, None)]
    quiet.clock.go_on(days=8)
    _stumbles(quiet, "u", "a3")
    assert fates(quiet) == [("r", TASK, None)] * 2


@pytest.mark.parametrize(("op", "fires"), [("within", {"did", "both"}), ("not within", {"not", "old"})])
def test_did_and_did_not_look_for_an_event_in_the_span(quiet: Bank, op: str, fires: set[str]) -> None:
    adopts(quiet, {"rule": "r", **TROUBLE, "conditions": _is("did.loan_withdrawn", op, "2d")})
    for user in ("did", "not", "old", "both"):
        quiet.knows(user)
    for user in ("old", "both"):
        quiet.sends(user, "loan_withdrawn", application_id="before")
    quiet.clock.go_on(days=3)
    for user in ("did", "both"):
        quiet.sends(user, "loan_withdrawn", application_id="before")
    quiet.clock.go_on(hours=1)
    for user in ("did", "not", "old", "both"):
        _stumbles(quiet, user)
    fired = {one.customer_id for one in quiet.firings()}
    assert fired == {quiet.customer(user).id for user in fires}


def test_one_look_asks_once_for_all_its_customers_and_only_what_is_due(quiet: Bank) -> None:
    conditions = {
        "all": [_is("history.called", "not within", "7d"), _is("did.face_scan", "not within", "1h")]
    }
    dwell = {"step": "id_photo", "preset": "dwell", "after": "1m"}
    adopts(quiet, {"rule": "asks", **dwell, "conditions": conditions}, {"rule": "asks-not", **dwell})
    adopts(
        quiet, {"rule": "later", **dwell, "after": "1h", "conditions": _is("history.fired", "within", "1d")}
    )
    for user in ("a", "b", "c"):
        quiet.knows(user)
        quiet.sends(user, "id_photo_front")
    visits = visits_open_on(quiet.session, "loan", "id_photo")
    rules = current_rules(quiet.session, journeys_loaded(quiet.session))
    asked: list[tuple[int, Mapping[str, timedelta]]] = []

    def counting(ids: Collection[UUID], history: Mapping[str, timedelta]) -> Mapping[UUID, About]:
        asked.append((len(ids), history))
        return {}

    triggers.look(rules, visits, counting, quiet.clock.now + timedelta(minutes=2))
    assert asked == [(3, {"history.called": WEEK, "did.face_scan": timedelta(hours=1)})]


def test_traits_gender_and_the_age_of_the_record_are_fields_like_any(quiet: Bank) -> None:
    with_moments(quiet)
    raw = {"rule": "r", "journey": "score", "step": "likely", "preset": "moment", "holdout": 0}
    conditions = [
        _is("customer.gender", "=", "f"),
        _is("customer.known_days", ">=", 30),
        _is("visit.score", ">", 0.9),
    ]
    adopts(quiet, {**raw, "conditions": {"all": conditions}})
    quiet.knows("old", gender="f")
    quiet.clock.go_on(days=31)
    for user in ("new", "other"):
        quiet.knows(user, gender="f" if user == "new" else "m")
    for user in ("old", "new", "other"):
        tracks(quiet, user, "score_updated", score=0.95)
    assert [one.customer_id for one in quiet.firings()] == [quiet.customer("old").id]


# -- cool-downs -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("cool_down", "fate"),
    [
        ({"rule": "7d"}, [(SUPPRESSED, COOL), (TASK, None), (SUPPRESSED, MERGED)]),
        ({"journey": "7d"}, [(SUPPRESSED, COOL), (SUPPRESSED, COOL), (TASK, None)]),
        ({"customer": "7d"}, [(SUPPRESSED, COOL)] * 3),
    ],
)
def test_a_cool_down_suppresses_within_its_span_and_scope(
    quiet: Bank, cool_down: dict[str, str], fate: list[Any]
) -> None:
    with_moments(quiet)
    adopts(
        quiet,
        {"rule": "again", **TROUBLE},
        {"rule": "other", "step": "face_scan", "preset": "moment"},
        {"rule": "elsewhere", "journey": "score", "step": "likely", "preset": "moment"},
        cool_down=cool_down,
        holdout=0,
    )
    quiet.knows("u")
    _stumbles(quiet, "u", "a1")
    calls(quiet, quiet.tasks()[0], Said("will_finish"))
    quiet.clock.go_on(hours=1)
    _stumbles(quiet, "u", "a2")
    quiet.sends("u", "face_scan", application_id="a3")
    quiet.ticks()
    tracks(quiet, "u", "score_updated", score=0.9)
    quiet.ticks()
    assert fates(quiet) == [
        ("again", TASK, None),
        ("again", *fate[0]),
        *sorted((("other", *fate[1]), ("elsewhere", *fate[2]))),
    ]


def test_a_cool_down_that_has_passed_lets_the_customer_be_called(quiet: Bank) -> None:
    adopts(quiet, {"rule": "r", **TROUBLE, "cool_down": {"rule": "1d"}})
    quiet.knows("u")
    for application in ("a1", "a2", "a3"):
        _stumbles(quiet, "u", application)
        quiet.sends("u", "face_scan", application_id=application)  # a call task ends
        quiet.clock.go_on(hours=16)
    assert fates(quiet) == [("r", TASK, None), ("r", SUPPRESSED, COOL), ("r", TASK, None)]


def test_both_arms_cool_down_alike_and_a_suppressed_firing_is_no_evidence(quiet: Bank) -> None:
    adopts(quiet, {"rule": "r", **TROUBLE, "holdout": 0.5, "cool_down": {"rule": "7d"}})
    users = [user_in_arm("r", held_out=held, share=0.5) for held in (False, True)]
    for user in users:
        quiet.knows(user)
        _stumbles(quiet, user, "a1")
    for user in users:
        quiet.clock.go_on(hours=1)
        _stumbles(quiet, user, "a2")
    assert [fate[1:] for fate in fates(quiet)] == [
        (TASK, None),
        (HELD_OUT, None),
        (SUPPRESSED, COOL),
        (SUPPRESSED, COOL),
    ]
    counts = counts_per_rule(quiet.session)["r"].arms
    assert (counts.fired, counts.assigned, counts.held_out) == (2, 1, 1)
    assert len(quiet.session.exec(select(Outcome)).all()) == 2, "nobody watches what was suppressed"
    assert all(one.holdout_unit is None for one in quiet.firings() if one.fate == SUPPRESSED)


# -- priority ---------------------------------------------------------------------------------------------


def _two_rules(bank: Bank, **high: Any) -> None:
    low = {"rule": "low", "step": "id_photo", "preset": "moment", "event": "id_photo_front", "priority": 20}
    adopts(bank, {**low, "holdout": 0}, {"rule": "high", **TROUBLE, "priority": 80, **high})


def test_of_two_firings_left_undecided_the_higher_becomes_the_task_and_the_other_is_folded_in(
    quiet: Bank,
) -> None:
    _two_rules(quiet)
    quiet.knows("u")
    _stumbles(quiet, "u")
    assert fates(quiet) == [("low", SUPPRESSED, MERGED), ("high", TASK, None)]
    (task,) = quiet.tasks()
    assert (task.rule_key, task.folded_firings) == ("high", 1)


def test_a_lower_rule_does_not_call_whom_the_higher_one_has_just_held_out(quiet: Bank) -> None:
    _two_rules(quiet, holdout=0.5)
    user = user_in_arm("high", held_out=True, share=0.5)
    quiet.knows(user)
    _stumbles(quiet, user)
    assert fates(quiet) == [("low", SUPPRESSED, SHADOWED), ("high", HELD_OUT, None)]


def test_a_lower_rule_calls_when_the_reason_of_the_higher_one_is_gone(quiet: Bank) -> None:
    _two_rules(quiet, unless=["photo_accepted"])
    quiet.knows("u")
    quiet.sends("u", "id_photo_front")
    quiet.sends("u", "photo_rejected", reason="glare")
    quiet.clock.go_on(seconds=5)
    quiet.sends("u", "photo_accepted")
    quiet.ticks()
    assert set(fates(quiet)) == {("high", SUPPRESSED, SuppressReason.RECOVERED), ("low", TASK, None)}


def test_a_rule_of_another_journey_is_not_shadowed_but_folded_into_the_one_call(quiet: Bank) -> None:
    with_moments(quiet)
    adopts(
        quiet,
        {"rule": "low", "journey": "score", "step": "likely", "preset": "moment", "priority": 10},
        {"rule": "high", **TROUBLE, "priority": 90},
        holdout=0,
    )
    quiet.knows("u")
    tracks(quiet, "u", "score_updated", score=0.9)
    _stumbles(quiet, "u")
    assert set(fates(quiet)) == {("low", SUPPRESSED, MERGED), ("high", TASK, None)}


def test_a_task_made_by_a_rule_with_history_dies_like_any_other(quiet: Bank) -> None:
    adopts(quiet, {"rule": "r", **TROUBLE, "conditions": _is("history.called", "not within", "7d")})
    quiet.knows("u")
    _stumbles(quiet, "u")
    quiet.sends("u", "face_scan")
    (task,) = quiet.tasks()
    assert (task.state, task.cancel_reason) == (TaskState.CANCELED, CancelReason.ADVANCED)
