"""Two people for what gives permission, one for what takes it away; and everything in the audit trail."""

from datetime import timedelta
from uuid import UUID, uuid4

import pytest
from sqlalchemy.exc import IntegrityError
from sqlmodel import select

from callcenter import gatekeeping, pipeline
from callcenter.compliance import reads
from callcenter.compliance.ledgers import NewSuppression
from callcenter.compliance.policies import current_book
from callcenter.domain.enums import (
    BarReason,
    ChangeKind,
    ChangeState,
    Purpose,
    Role,
    ScreeningPoint,
    SuppressionKind,
)
from callcenter.errors import BadInput, Conflict, Forbidden, NotFound
from callcenter.models import AuditEntry, ComplianceChange, ScreeningDecision, Suppression, User
from tests.factories import Bank
from tests.web.scenes import waiting_task

STRICTER = """
pack: cn-bank
title: {en: "Bank, mainland China", zh: "中国内地银行"}
applies_to: {regions: [CN]}
time_zone: Asia/Shanghai
versions:
  - valid_from: %s
    calling_hours:
      value: {every_day: ["10:00-11:00"]}
      source: "Letter of the regulator."
"""


def person(bank: Bank, name: str) -> UUID:
    user = User(
        id=uuid4(), login=name, name=name, role=Role.COMPLIANCE, password_hash="-", created_at=bank.clock.now
    )
    bank.session.add(user)
    bank.session.commit()
    return user.id


@pytest.fixture
def two(bank: Bank) -> tuple[UUID, UUID]:
    return person(bank, "petra"), person(bank, "second")


def acts(bank: Bank) -> list[str]:
    return list(bank.session.exec(select(AuditEntry.act).order_by(AuditEntry.id)))  # type: ignore[arg-type]


def barred(bank: Bank) -> Suppression:
    customer = bank.knows("u1")
    bank.bars(customer.id)
    return bank.session.exec(select(Suppression)).one()


def decides(bank: Bank, change: ComplianceChange, by: UUID, approved: bool = True, note: str = "") -> None:
    assert change.id
    gatekeeping.decide(bank.session, bank.house, change.id, by, bank.clock.now, approved=approved, note=note)
    bank.session.commit()


def test_whoever_asks_cannot_decide_in_code_nor_in_the_database(bank: Bank, two: tuple[UUID, UUID]) -> None:
    entry = barred(bank)
    assert entry.id
    change = gatekeeping.propose_lift(bank.session, entry.id, "A mix-up.", two[0], bank.clock.now)
    bank.session.commit()
    with pytest.raises(Forbidden, match="second person"):
        decides(bank, change, two[0])
    bank.session.rollback()
    change.decided_by = two[0]
    with pytest.raises(IntegrityError, match="second_person"):
        bank.session.commit()
    bank.session.rollback()
    decides(bank, change, two[1])
    assert change.state == ChangeState.APPROVED
    lifted = bank.session.exec(select(Suppression).where(Suppression.lifts_id == entry.id)).one()
    assert (lifted.source, lifted.created_by) == (f"change {change.id}", two[1])
    assert acts(bank)[-2:] == ["change.proposed", "change.approved"]


def test_a_change_that_has_become_impossible_says_so_and_can_still_be_refused(
    bank: Bank, two: tuple[UUID, UUID]
) -> None:
    entry = barred(bank)
    assert entry.id
    first = gatekeeping.propose_lift(bank.session, entry.id, "A mix-up.", two[0], bank.clock.now)
    with pytest.raises(Conflict, match="waits for a decision already"):
        gatekeeping.propose_lift(bank.session, entry.id, "Again.", two[1], bank.clock.now)
    second = ComplianceChange(
        kind=ChangeKind.LIFT_SUPPRESSION,
        payload={**first.payload, "n": 2},
        why="At the same moment.",
        asked_at=bank.clock.now,
        asked_by=two[0],
    )
    bank.session.add(second)
    bank.session.commit()
    decides(bank, first, two[1])
    with pytest.raises(Conflict, match="lifted already"):
        decides(bank, second, two[1])
    bank.session.rollback()
    with pytest.raises(BadInput, match="why you refuse"):
        decides(bank, second, two[1], approved=False)
    bank.session.rollback()
    decides(bank, second, two[1], approved=False, note="Lifted meanwhile.")
    with pytest.raises(Conflict, match="decided already"):
        decides(bank, second, two[1])


def test_a_pack_version_counts_from_its_day_on_once_somebody_else_agrees(
    bank: Bank, two: tuple[UUID, UUID]
) -> None:
    s, house, now = bank.session, bank.house, bank.clock.now
    tomorrow = (now + timedelta(days=1)).date()
    change = gatekeeping.propose_pack_version(s, house, STRICTER % tomorrow, "The letter.", two[0], now)
    rival = gatekeeping.propose_pack_version(s, house, STRICTER % tomorrow + "\n", "Too.", two[0], now)
    s.commit()
    assert change.payload["follows"] == "cn-bank@2023-03-01"
    decides(bank, change, two[1])
    book = current_book(s, house.gate.home_packs)
    assert book is not None
    assert [book.in_force("cn-bank", at).label for at in (now, now + timedelta(days=1))] == [  # type: ignore[union-attr]
        "cn-bank@2023-03-01",
        f"cn-bank@{tomorrow}",
    ]
    with pytest.raises(Conflict, match="Another version"):
        decides(bank, rival, two[1])


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (STRICTER % "2026-11-17", "has passed"),
        (
            STRICTER % "2026-12-01" + "  - valid_from: 2026-12-02\n    consent: {value: true, source: x}\n",
            "alone",
        ),
        ((STRICTER % "2026-12-01").replace("10:00-11:00", "ten"), "line 9"),
    ],
)
def test_a_pack_text_that_cannot_be_put_in_force_is_refused(
    bank: Bank, two: tuple[UUID, UUID], text: str, says: str
) -> None:
    with pytest.raises(BadInput, match=says):
        gatekeeping.propose_pack_version(bank.session, bank.house, text, "why", two[0], bank.clock.now)


def test_a_version_whose_day_has_passed_while_it_waited_is_not_put_in_force(
    bank: Bank, two: tuple[UUID, UUID]
) -> None:
    text = STRICTER % bank.clock.now.date()
    change = gatekeeping.propose_pack_version(bank.session, bank.house, text, "why", two[0], bank.clock.now)
    bank.session.commit()
    bank.clock.go_on(days=2)
    with pytest.raises(Conflict, match="has passed"):
        decides(bank, change, two[1])


def test_a_consent_counts_after_a_second_person_and_not_once_it_is_withdrawn(
    bank: Bank, two: tuple[UUID, UUID]
) -> None:
    customer, now = bank.knows("u1"), bank.clock.now
    new = gatekeeping.NewConsent(
        customer_id=customer.id, purpose=Purpose.MARKETING, text_version="v3", proof="form 12", at=now
    )
    change = gatekeeping.propose_consent(bank.session, new, "Signed at the branch.", two[0], now)
    bank.session.commit()
    bank.clock.go_on(minutes=1)
    gatekeeping.withdraw_consent(
        bank.session, customer.id, Purpose.MARKETING, "letter", two[0], bank.clock.now
    )
    bank.session.commit()
    with pytest.raises(Conflict, match="withdrawn"):
        decides(bank, change, two[1])
    assert "consent.withdrawn" in acts(bank)


def test_one_person_bars_somebody_at_once_and_their_waiting_task_is_not_dialed(
    bank: Bank, two: tuple[UUID, UUID]
) -> None:
    task = waiting_task(bank)
    new = NewSuppression(kind=SuppressionKind.COMPLAINT, customer_id=task.customer_id, source="letter")
    gatekeeping.bar(bank.session, bank.house, new, two[0], bank.clock.now)
    bank.session.commit()
    bank.agent_is_available()
    bank.offers(task)
    reasons = bank.session.exec(select(ScreeningDecision).order_by(ScreeningDecision.id.desc())).first()  # type: ignore[union-attr]
    assert reasons is not None and reasons.reasons == [BarReason.COMPLAINT_OPEN]
    assert acts(bank)[-1] == "suppression.added"


def test_a_paused_campaign_holds_its_tasks_back_and_its_own_hours_bar_too(
    bank: Bank, two: tuple[UUID, UUID]
) -> None:
    task = waiting_task(bank)
    bank.agent_is_available()
    gatekeeping.pause_campaign(bank.session, "loan", two[0], bank.clock.now, paused=True)
    gatekeeping.set_hours(bank.session, "loan", ["14:00", "18:00"], two[0], bank.clock.now)
    bank.session.commit()
    assert not isinstance(bank.offers(task), pipeline.Reserved)
    bank.session.refresh(task)
    assert task.why_no_call == [BarReason.CAMPAIGN_PAUSED, BarReason.CAMPAIGN_CLOSED]
    gatekeeping.pause_campaign(bank.session, "loan", two[0], bank.clock.now, paused=False)
    gatekeeping.set_hours(bank.session, "loan", ["", ""], two[0], bank.clock.now)
    bank.session.commit()
    assert acts(bank)[-4:] == ["campaign.paused", "campaign.hours", "campaign.resumed", "campaign.hours"]
    with pytest.raises(BadInput, match="later one"):
        gatekeeping.set_hours(bank.session, "loan", ["18:00", "09:00"], two[0], bank.clock.now)
    with pytest.raises(NotFound):
        gatekeeping.pause_campaign(bank.session, "nothing", two[0], bank.clock.now, paused=True)


def test_a_clock_that_was_set_back_is_confirmed_by_a_person(bank: Bank, two: tuple[UUID, UUID]) -> None:
    customer = bank.knows("u1")
    with pytest.raises(Conflict):
        gatekeeping.confirm_clock(bank.session, two[0], bank.clock.now)
    bank.session.add(
        ScreeningDecision(
            asked_at=bank.clock.now + timedelta(hours=3),
            for_at=bank.clock.now,
            point=ScreeningPoint.CLAIM,
            customer_id=customer.id,
            may_call=True,
            policy_version="x",
        )
    )
    bank.session.commit()
    assert reads.records_ahead(bank.session, bank.clock.now)
    gatekeeping.confirm_clock(bank.session, two[0], bank.clock.now)
    bank.session.commit()
    assert reads.records_ahead(bank.session, bank.clock.now) is None
    assert acts(bank)[-1] == "clock.confirmed"
