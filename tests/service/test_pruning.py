"""What is old and no evidence goes, portion by portion; what reports, rules in force and open alerts need stays."""

from datetime import datetime, timedelta
from uuid import UUID

import pytest
from sqlmodel import select

from callcenter import pruning
from callcenter.domain.dispatching import DispatchAct
from callcenter.domain.enums import Presence, RuleState, WorkState
from callcenter.domain.ids import derived_id
from callcenter.models import AgentState, BandedVisit, Dispatch, FloorAlert, TriggerRule, Visit
from callcenter.pruning import Keeping, prune
from callcenter.reporting.reports import Period, ReportBy, report
from tests.factories import Bank

KEEPING = Keeping(timedelta(days=800), timedelta(days=400), timedelta(days=400))


def _states(bank: Bank, agent_id: UUID) -> list[datetime]:
    found = select(AgentState.at).where(AgentState.agent_id == agent_id).order_by(AgentState.at)
    return list(bank.session.exec(found))


def _was(bank: Bank, days_ago: int, work_state: WorkState = WorkState.IDLE) -> datetime:
    at = bank.clock.now - timedelta(days=days_ago)
    bank.session.add(
        AgentState(agent_id=bank.agent_id, at=at, presence=Presence.AVAILABLE, work_state=work_state)
    )
    bank.session.flush()
    return at


def _alert(bank: Bank, key: str, raised: int, cleared: int | None) -> None:
    now = bank.clock.now
    bank.session.add(
        FloorAlert(
            key=key,
            kind="promise",
            tone="watch",
            since=now - timedelta(days=raised),
            raised_at=now - timedelta(days=raised),
            cleared_at=now - timedelta(days=cleared) if cleared is not None else None,
        )
    )


def _dispatch(bank: Bank, name: str, days_ago: int, *, is_done: bool) -> None:
    at = bank.clock.now - timedelta(days=days_ago)
    bank.session.add(
        Dispatch(
            id=derived_id("dispatch", name),
            act=DispatchAct.EXPIRE,
            made_at=at,
            made_by=bank.agent_id,
            done_at=at if is_done else None,
        )
    )


def _entry(bank: Bank, rule: TriggerRule, visit: Visit, days_ago: int, *, is_settled: bool) -> None:
    at = bank.clock.now - timedelta(days=days_ago)
    bank.session.add(
        BandedVisit(
            rule_id=rule.id,
            rule_key=rule.rule_key,
            visit_id=visit.id,
            customer_id=visit.customer_id,
            at=at,
            until_at=at,
            wait_seconds=60,
            probability=0.5,
            settled_at=at if is_settled else None,
        )
    )
    bank.session.flush()


def test_of_an_agents_states_the_last_before_stays_and_a_report_of_the_kept_time_says_the_same(
    bank: Bank,
) -> None:
    for days in (900, 850, 840):
        _was(bank, days)
    last = _was(bank, 801, WorkState.TALKING)
    kept = [_was(bank, days) for days in (799, 3)]
    since = bank.clock.now - timedelta(days=800)
    asked = (ReportBy.AGENT, Period(since, since + timedelta(days=2), "UTC", bank.clock.now))
    before = report(bank.session, *asked)
    assert prune(bank.session, KEEPING, bank.clock.now)["agent_state"] == 3
    assert _states(bank, bank.agent_id)[:3] == [last, *kept]
    assert report(bank.session, *asked) == before
    assert prune(bank.session, KEEPING, bank.clock.now)["agent_state"] == 0


def test_alerts_that_are_over_and_acts_that_were_done_go_and_open_ones_stay(bank: Bank) -> None:
    _alert(bank, "old", 500, 401)
    _alert(bank, "long", 500, 3)
    _alert(bank, "open", 500, None)
    _dispatch(bank, "old", 401, is_done=True)
    _dispatch(bank, "new", 399, is_done=True)
    _dispatch(bank, "planned", 401, is_done=False)
    bank.session.flush()
    removed = prune(bank.session, KEEPING, bank.clock.now)
    assert (removed["floor_alert"], removed["dispatch"]) == (1, 1)
    assert set(bank.session.exec(select(FloorAlert.key))) == {"long", "open"}
    left = set(bank.session.exec(select(Dispatch.id)))
    assert left == {derived_id("dispatch", "new"), derived_id("dispatch", "planned")}


@pytest.mark.parametrize("state", [RuleState.LIVE, RuleState.PAUSED, RuleState.CANARY, RuleState.RETIRED])
def test_what_a_version_in_force_is_judged_by_stays_however_old(bank: Bank, state: RuleState) -> None:
    rule = bank.session.exec(select(TriggerRule)).first()
    assert rule is not None
    rule.state = state
    visits = []
    for name in ("old", "new", "unsettled"):
        bank.sends(name, "face_scan")
        known = derived_id("customer", name)
        visits.append(bank.session.exec(select(Visit).where(Visit.customer_id == known)).one())
    _entry(bank, rule, visits[0], 401, is_settled=True)
    _entry(bank, rule, visits[1], 399, is_settled=True)
    _entry(bank, rule, visits[2], 401, is_settled=False)
    removed = prune(bank.session, KEEPING, bank.clock.now)["banded_visit"]
    left = set(bank.session.exec(select(BandedVisit.visit_id)))
    went = {visits[0].id} if state is RuleState.RETIRED else set()
    assert (removed, left) == (len(went), {one.id for one in visits} - went)


def test_a_portion_at_a_time(bank: Bank, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pruning, "PORTION", 2)
    for number in range(5):
        _dispatch(bank, str(number), 500, is_done=True)
    bank.session.flush()
    found = [prune(bank.session, KEEPING, bank.clock.now)["dispatch"] for _ in range(3)]
    assert found == [2, 2, 1]
