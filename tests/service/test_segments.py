"""Segments: who is in one by each form, how it stands on customers, what rules and back-tests make of it."""

from datetime import timedelta
from itertools import count
from time import monotonic
from typing import Any
from uuid import UUID

import pytest
from sqlmodel import select

from callcenter import segmenting
from callcenter.backtest.run import Tried, run_back_test
from callcenter.backtest.store import StoredEvents
from callcenter.commands.sample import read_sample
from callcenter.domain.journey import JourneyDefinition
from callcenter.errors import BadInput, Conflict, NotFound
from callcenter.journeys import service as journeys
from callcenter.journeys.queries import journeys_loaded
from callcenter.models import AuditEntry, Segment, TriggerRule
from callcenter.segments import policy, queries
from callcenter.segments.queries import segments_due, size_of
from callcenter.segments.rules import read_segment
from callcenter.triggers import service as triggers
from callcenter.triggers.policy import read_rule
from tests.factories import Bank

VIP = {"form": "tag", "value": "vip"}


def _raw(*rows: dict[str, Any], key: str = "one", **more: Any) -> dict[str, Any]:
    return {"segment": key, "title": {"en": key}, "rows": list(rows), **more}


def _makes(bank: Bank, *rows: dict[str, Any], key: str = "one", **more: Any) -> Segment:
    raw = _raw(*rows, key=key, **more)
    row = segmenting.make_segment(bank.session, raw, bank.agent_id, bank.clock.go_on(seconds=1))
    bank.session.commit()
    return row


def _works_out(bank: Bank, key: str = "one") -> set[str]:
    """Work a segment out as the tick does; return whom it holds then."""
    found = segmenting.work_out(bank.session, key, bank.clock.go_on(seconds=1), monotonic)
    if found is not None:
        changed = segmenting.change_members(bank.session, key, found.changes.joined, is_member=True)
        changed += segmenting.change_members(bank.session, key, found.changes.left, is_member=False)
        segmenting.note_settled(bank.session, found, changed)
    bank.session.commit()
    bank.session.expire_all()
    return {one for one, _, _ in queries.members(bank.session, key)}


def _account(bank: Bank) -> JourneyDefinition:
    others = journeys_loaded(bank.session).values()
    loaded = journeys.load_journey(bank.session, read_sample("account.yaml"), others, bank.clock.now)
    bank.session.commit()
    return loaded


def _did(bank: Bank, user: str, event: str, days_ago: float, **properties: Any) -> None:
    bank.clock.now -= timedelta(days=days_ago)
    raw = {"type": "track", "userId": user, "event": event, "messageId": f"s{next(_numbers)}"}
    bank.takes({**raw, "timestamp": bank.clock.now.isoformat(), "properties": {"product": "p", **properties}})
    bank.clock.now += timedelta(days=days_ago)


_numbers = count(1)


@pytest.fixture
def people(bank: Bank) -> Bank:
    """Four customers of the account journey, each with a past of their own, and a device nobody knows."""
    _account(bank)
    bank.knows("often", tags=["vip"], credit_limit=90_000, city="Chengdu", products=["card"])
    bank.knows("once", credit_limit=20_000, city="Urumqi", product_matures_on="2026-12-01")
    bank.knows("long-ago", tags=["vip", "staff"], product_matures_on="2027-12-01")
    bank.knows("never", credit_limit="a lot", language="en")
    for days, amount in ((1, 30_000), (5, 30_000), (20, "many")):
        _did(bank, "often", "balance_moved", days, amount=amount)
    _did(bank, "once", "balance_moved", 2, amount=500)
    _did(bank, "long-ago", "balance_moved", 40, amount=99_000)
    bank.sends(None, "face_scan", device="stranger")
    return bank


WORTH = {"form": "worth", "event": "balance_moved", "days": 30, "recent_days": 3, "amount": "amount"}


@pytest.mark.parametrize(
    ("row", "members"),
    [
        ({"form": "did", "event": "balance_moved", "days": 30, "times": 1}, {"often", "once"}),
        ({"form": "did", "event": "balance_moved", "days": 30, "times": 3}, {"often"}),
        ({"form": "did_not", "event": "balance_moved", "days": 30}, {"long-ago", "never"}),
        ({"form": "first", "event": "balance_moved", "days": 10}, {"once"}),
        ({"form": "last", "event": "balance_moved", "days": 30}, {"long-ago"}),
        ({**WORTH, "times": 1, "least": 60_000}, {"often"}),
        ({**WORTH, "times": 1, "least": 100}, {"often", "once"}),
        ({**WORTH, "times": 2, "least": 60_001}, set()),
        (
            {"form": "attribute", "field": "customer.credit_limit", "op": ">=", "value": 20_000},
            {"often", "once"},
        ),
        ({"form": "attribute", "field": "customer.credit_limit", "op": "!=", "value": 20_000}, {"often"}),
        ({"form": "attribute", "field": "customer.city", "op": "in", "value": ["Chengdu", "X"]}, {"often"}),
        ({"form": "attribute", "field": "customer.city", "op": "starts with", "value": "Ur"}, {"once"}),
        ({"form": "attribute", "field": "customer.language", "op": "=", "value": "en"}, {"never"}),
        ({"form": "attribute", "field": "customer.products", "op": "has", "value": "card"}, {"often"}),
        ({"form": "attribute", "field": "customer.known_days", "op": "<", "value": 1}, None),
        (
            {"form": "attribute", "field": "customer.product_matures_on", "op": "in next", "value": "30d"},
            {"once"},
        ),
        (
            {
                "form": "attribute",
                "field": "customer.product_matures_on",
                "op": "after",
                "value": "2027-01-01",
            },
            {"long-ago"},
        ),
        (VIP, {"often", "long-ago"}),
        ({**VIP, "op": "has not"}, {"once", "never"}),
        ({"form": "survey", "value": "promoter"}, {"never"}),
    ],
)
def test_each_form_finds_whom_it_says(people: Bank, row: dict[str, Any], members: set[str] | None) -> None:
    people.customer("never").survey_group = "promoter"
    people.session.commit()
    _makes(people, row)
    everybody = {"often", "once", "long-ago", "never"}
    assert _works_out(people) == (everybody if members is None else members)


def test_rows_are_joined_by_all_or_any(people: Bank) -> None:
    moved = {"form": "did", "event": "balance_moved", "days": 30, "times": 1}
    _makes(people, VIP, moved)
    _makes(people, VIP, moved, key="either", any=True)
    assert _works_out(people) == {"often"}
    assert _works_out(people, "either") == {"often", "once", "long-ago"}
    row = people.session.get_one(Segment, "either")
    assert (row.size, row.is_settled, row.trouble) == (3, True, None)


def test_members_come_and_go_and_nothing_of_the_banks_is_written_over(people: Bank) -> None:
    _makes(people, VIP)
    _makes(people, {**VIP, "op": "has not"}, key="two")
    assert (_works_out(people), _works_out(people, "two")) == ({"often", "long-ago"}, {"once", "never"})
    people.takes({"type": "identify", "userId": "often", "messageId": "later", "traits": {"tags": ["plain"]}})
    assert people.customer("often").segments == ["one"], "an identify call leaves segments alone"
    assert (_works_out(people), _works_out(people, "two")) == ({"long-ago"}, {"once", "never", "often"})
    assert people.customer("often").segments == ["two"]
    assert people.customer("often").tags == ["plain"]


def test_a_segment_is_worked_out_when_it_is_new_changed_or_old(people: Bank) -> None:
    _makes(people, VIP)
    now = people.clock.now
    assert segments_due(people.session, now) == ["one"]
    _works_out(people)
    assert segments_due(people.session, people.clock.now) == []
    segmenting.change_segment(
        people.session, "one", _raw({**VIP, "value": "staff"}), people.agent_id, people.clock.go_on(seconds=1)
    )
    assert segments_due(people.session, people.clock.now) == ["one"]
    assert _works_out(people) == {"long-ago"}
    row = people.session.get_one(Segment, "one")
    row.took_ms = 60_000
    people.session.commit()
    assert segments_due(people.session, people.clock.now + timedelta(minutes=11)) == [], (
        "a slow one rests longer"
    )
    assert segments_due(people.session, people.clock.now + timedelta(minutes=21)) == ["one"]


def test_a_segment_that_takes_too_long_keeps_whom_it_had_and_says_so(
    people: Bank, monkeypatch: pytest.MonkeyPatch
) -> None:
    _makes(people, VIP)
    _works_out(people)
    monkeypatch.setattr(policy, "COUNT_WITHIN_MS", 1)
    slow = "SELECT 1 FROM customer c, pg_sleep(1) WHERE %(key)s <> '' AND ({})"
    monkeypatch.setattr(queries, "_CHANGES", slow)
    people.clock.go_on(minutes=20)
    assert _works_out(people) == {"often", "long-ago"}
    row = people.session.get_one(Segment, "one")
    assert (row.trouble, row.size) == ("took_too_long", 2)
    assert segments_due(people.session, people.clock.now + timedelta(minutes=50)) == []
    assert segments_due(people.session, people.clock.now + timedelta(minutes=61)) == ["one"]


def test_an_ended_segment_is_emptied_and_its_key_may_be_used_again(people: Bank) -> None:
    _makes(people, VIP)
    _works_out(people)
    segmenting.end_segment(people.session, "one", people.agent_id, people.clock.go_on(seconds=1))
    people.session.commit()
    with pytest.raises(Conflict, match="emptied"):
        _makes(people, VIP)
    people.session.rollback()
    assert _works_out(people) == set()
    assert segments_due(people.session, people.clock.now + timedelta(days=9)) == []
    _makes(people, {**VIP, "value": "staff"})
    assert _works_out(people) == {"long-ago"}
    acts = [one.act for one in people.session.exec(select(AuditEntry)) if one.act.startswith("segment")]
    assert acts == ["segment.made", "segment.ended", "segment.made"]


def test_what_cannot_be_is_refused(people: Bank) -> None:
    _makes(people, VIP)
    with pytest.raises(Conflict):
        _makes(people, VIP)
    people.session.rollback()
    with pytest.raises(BadInput):
        _makes(people, {"form": "did", "event": "no_such", "days": 3}, key="two")
    with pytest.raises(NotFound):
        segmenting.end_segment(people.session, "nobody", people.agent_id, people.clock.now)
    rule = read_sample("rules.yaml")[0] | {"rule": "for-one"}
    rule["conditions"] = {"all": [{"field": "customer.segments", "op": "has", "value": "one"}]}
    triggers.adopt_rule(people.session, rule, journeys_loaded(people.session)["loan"], people.clock.now)
    assert queries.rules_using(people.session, "one") == ["for-one"]
    with pytest.raises(Conflict, match="Rules speak"):
        segmenting.end_segment(people.session, "one", people.agent_id, people.clock.now)


def test_a_draft_is_counted_without_being_kept(people: Bank) -> None:
    known = segmenting.known_here(people.session)
    assert size_of(people.session, read_segment(_raw(VIP), known), known, people.clock.now) == 2
    assert people.session.exec(select(Segment)).all() == []


def test_a_journey_that_no_longer_knows_the_event_is_told_and_harms_nobody(people: Bank) -> None:
    row = _makes(people, VIP)
    _works_out(people)
    row.definition = {"any": False, "rows": [{"form": "did", "event": "gone", "days": 3, "times": 1}]}
    people.session.commit()
    people.clock.go_on(minutes=30)
    assert _works_out(people) == {"often", "long-ago"}
    assert people.session.get_one(Segment, "one").trouble == "no_longer_fits"


def test_a_list_that_is_taken_out_is_in_the_trail(people: Bank) -> None:
    _makes(people, VIP)
    _works_out(people)
    found = segmenting.hand_out_members(people.session, "one", people.agent_id, people.clock.now)
    assert found == [("long-ago", "zh", None), ("often", "zh", "Chengdu")]
    (act,) = [one for one in people.session.exec(select(AuditEntry)) if one.act == "segment.exported"]
    assert (act.subject, act.detail) == ("one", {"customers": 2})


def test_live_and_back_test_agree_on_who_is_in_a_segment(bank: Bank) -> None:
    raw = {
        "rule": "quiet-vip",
        "journey": "loan",
        "step": "face_scan",
        "preset": "gone_quiet",
        "after": "2m",
        "holdout": 0,
        "conditions": {"field": "customer.segments", "op": "has", "value": "one"},
    }
    for row in bank.session.exec(select(TriggerRule)).all():
        row.state = "paused"
    journey = journeys_loaded(bank.session)["loan"]
    triggers.adopt_rule(bank.session, raw, journey, bank.clock.now)
    for user, tags in (("in", ["vip"]), ("out", [])):
        bank.knows(user, tags=tags)
    _makes(bank, VIP)
    assert _works_out(bank) == {"in"}
    for user in ("in", "out"):
        bank.sends(user, "face_scan")
    bank.clock.go_on(minutes=4)
    bank.ticks()
    live = {one.customer_id for one in bank.firings()}
    assert live == {bank.customer("in").id}
    bank.sends("out", "profile")
    for as_columns in (raw, raw | {"preset": "dwell", "after": "1m"}):
        tried = Tried(read_rule(as_columns, journey), as_columns["conditions"])
        with bank.session.begin_nested() as apart:
            run = run_back_test(StoredEvents(bank.session, journey), journey, tried)
            apart.rollback()
        assert {UUID(one.customer_id) for one in run.back_test.firings} == live
