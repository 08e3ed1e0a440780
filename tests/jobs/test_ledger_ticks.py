"""The ledgers are sealed by the clock, by however many schedulers, and kept once a day."""

import threading
from datetime import timedelta
from typing import Any

import psycopg
import pytest
from sqlalchemy import func
from sqlmodel import col, select

from callcenter.domain.enums import ScreeningPoint
from callcenter.domain.ids import derived_id
from callcenter.evidence.verify import verify_chain
from callcenter.models import AuditEntry, AuditLink, ScreeningDecision
from tests.jobs.conftest import Floor
from tests.servers import plain_url
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


@pytest.mark.slow
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


def _nights(floor: Floor) -> list[dict[str, Any]]:
    floor.bank.session.expire_all()
    said = select(AuditEntry.detail).where(AuditEntry.act == "ledger.verified").order_by(col(AuditEntry.id))
    found = list(floor.bank.session.exec(said))
    floor.bank.session.commit()
    return found


def _night(floor: Floor) -> dict[str, Any]:
    """The next night, however many schedulers ask; what was written down of it."""
    before = len(_nights(floor))
    ticks.seal(floor.runtime)
    threads = [threading.Thread(target=ticks.verify_ledgers, args=(floor.runtime,)) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    ticks.verify_ledgers(floor.runtime)
    nights = _nights(floor)
    assert len(nights) == before + 1
    floor.bank.clock.go_on(days=1)
    return nights[-1]


def _alters(floor: Floor, row_id: int, may_call: bool) -> None:
    with psycopg.connect(plain_url(floor.runtime.database_url)) as connection:
        connection.execute("ALTER TABLE screening_decision DISABLE TRIGGER ledger_is_append_only")
        connection.execute("UPDATE screening_decision SET may_call = %s WHERE id = %s", [may_call, row_id])
        connection.execute("ALTER TABLE screening_decision ENABLE TRIGGER ledger_is_append_only")


def test_each_night_verifies_what_is_new_and_a_fault_stays_told_until_it_is_good_again(floor: Floor) -> None:
    _decides(floor, 5)
    first = _night(floor)
    assert (first["holds"], first["after"], first["links"]) == (True, 0, 5)
    _decides(floor, 3)
    second = _night(floor)
    assert (second["holds"], second["after"]) == (True, 5), "only what is new"
    newest = floor.bank.session.exec(select(func.max(ScreeningDecision.id))).one()
    floor.bank.session.commit()
    _decides(floor, 2)
    ticks.seal(floor.runtime)
    _alters(floor, newest + 1, may_call=False)
    for _ in range(2):
        third = _night(floor)
        assert (third["holds"], third["faults"]) == (False, 1)
        assert third["findings"] == [f"screening_decision {newest + 1}: not as it was sealed"]
    _alters(floor, newest + 1, may_call=True)
    assert _night(floor)["holds"]
    _alters(floor, newest, may_call=False)
    assert _night(floor)["holds"], "an old row is looked at with the whole chain"
    floor.bank.clock.go_on(days=30)
    whole = _night(floor)
    assert (whole["holds"], whole["after"], whole["faults"]) == (False, 0, 1)
