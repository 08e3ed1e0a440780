"""The ledgers are sealed by the clock, by however many schedulers, and kept once a day."""

import threading
from datetime import timedelta

from sqlmodel import col, select

from callcenter.domain.enums import ScreeningPoint
from callcenter.domain.ids import derived_id
from callcenter.evidence.verify import verify_chain
from callcenter.models import AuditEntry, AuditLink, ScreeningDecision
from tests.jobs.conftest import Floor
from workers import ticks


def _decides(floor: Floor, count: int, days_ago: int = 0) -> None:
    at = floor.now - timedelta(days=days_ago)
    floor.bank.session.add_all(
        ScreeningDecision(
            asked_at=at,
            for_at=at,
            point=ScreeningPoint.OPENING,
            customer_id=derived_id("customer", number),
            may_call=True,
            policy_version="-",
        )
        for number in range(count)
    )
    floor.bank.session.commit()


def _verified(floor: Floor) -> tuple[bool, int]:
    floor.bank.session.expire_all()
    with floor.runtime.reading() as session:
        report = verify_chain(session, floor.now)
    return report.holds and not report.waiting and not report.stale, report.links


def test_schedulers_that_seal_at_once_make_one_chain(floor: Floor) -> None:
    _decides(floor, 12_000)
    threads = [threading.Thread(target=ticks.seal, args=(floor.runtime,)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    ticks.seal(floor.runtime)
    assert _verified(floor) == (True, 12_000)
    _decides(floor, 3)
    ticks.seal(floor.runtime)
    ticks.seal(floor.runtime)
    assert _verified(floor) == (True, 12_003)


def test_a_day_is_kept_once_and_old_decisions_go(floor: Floor) -> None:
    _decides(floor, 5, days_ago=2_000)
    _decides(floor, 2)
    for _ in range(3):
        ticks.keep_ledgers(floor.runtime)
    ticks.seal(floor.runtime)
    left = floor.bank.session.exec(select(ScreeningDecision.id)).all()
    acts = floor.bank.session.exec(
        select(AuditEntry.act).where(col(AuditEntry.act).startswith("ledger."))
    ).all()
    assert len(left) == 2 and sorted(acts) == ["ledger.kept", "ledger.past_keeping"]
    assert len(floor.bank.session.exec(select(AuditLink)).all()) == 9
    floor.bank.session.commit()
    assert _verified(floor) == (True, 9)
    floor.bank.clock.go_on(days=1)
    ticks.keep_ledgers(floor.runtime)
    ticks.seal(floor.runtime)
    assert _verified(floor) == (True, 10)
