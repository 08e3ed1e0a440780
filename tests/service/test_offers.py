"""Offers on a call: granted once, to whom it is meant for, and taken back."""

from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from sqlmodel import Session, col, select

from callcenter import offering, pipeline
from callcenter.domain.enums import CallResult, DialingMode, Purpose, TaskState
from callcenter.domain.ids import derived_id
from callcenter.domain.offers import OfferBar, OfferTerms
from callcenter.errors import BadInput, Conflict, Forbidden, NotFound
from callcenter.learning.effect_queries import spent_by_rule
from callcenter.learning.queries import counts_per_rule
from callcenter.models import AuditEntry, CallTask, ContactAttempt, Offer, OfferGrant
from callcenter.outcomes.rules import WrapUp
from callcenter.routing import service as routing
from tests.factories import Bank, user_in_arm

BEGAN = datetime(2026, 11, 1, tzinfo=UTC)
COUPON = OfferTerms(
    name={"en": "Coupon", "zh": "券"},
    words={"en": "30 days free of interest.", "zh": "30 天免息。"},
    currency="CNY",
    value=Decimal(30),
    cost=Decimal("22.50"),
    valid_from=BEGAN,
    time_zone="Asia/Shanghai",
)


def task_waiting(bank: Bank) -> CallTask:
    user = user_in_arm("id-photo-trouble", held_out=False)
    bank.knows(user)
    bank.sends(user, "id_photo_front")
    for attempt in (1, 2):
        bank.sends(user, "photo_rejected", reason="glare", attempt=attempt)
    bank.ticks()
    return bank.tasks()[-1]


def spoken(session: Session, task: CallTask, agent_id: UUID, now: datetime, number: str) -> ContactAttempt:
    """Let a call of this task have been had and its agent wrap up."""
    task.state, task.state_at, task.agent_id, task.attempts = TaskState.WRAPPING, now, agent_id, 1
    attempt = ContactAttempt(
        id=derived_id("attempt", task.id, 1),
        call_task_id=task.id,
        customer_id=task.customer_id,
        agent_id=agent_id,
        firing_id=task.firing_id,
        to_number=number,
        caller_id="+15005550006",
        state="ended",
        result=CallResult.COMPLETED,
        mode=DialingMode.PREVIEW,
        campaign=task.journey,
        purpose=Purpose.SERVICE,
        claimed_at=now,
        bridged_at=now,
        ended_at=now,
        last_news_at=now,
    )
    session.add(attempt)
    session.flush()
    return attempt


@pytest.fixture
def call(bank: Bank) -> tuple[CallTask, ContactAttempt]:
    """A call that was had, its agent in the wrap-up, and a coupon in the catalog."""
    task = task_waiting(bank)
    attempt = spoken(bank.session, task, bank.agent_id, bank.clock.now, "+8613800138000")
    agent = routing.lock_agent(bank.session, bank.agent_id)
    agent.work_state, agent.work_state_at, agent.call_task_id = "wrapping", bank.clock.now, task.id
    offering.add_offer(bank.session, "coupon", COUPON, None, bank.clock.now)
    bank.session.commit()
    return task, attempt


def grants(bank: Bank, task: CallTask, code: str = "coupon") -> OfferGrant:
    one = offering.grant_offer(bank.session, task.id, code, bank.agent_id, bank.clock.now)
    bank.session.commit()
    return one


def changes(bank: Bank, **said: Any) -> Offer:
    seen = bank.session.get_one(Offer, "coupon").version
    row = offering.change_offer(bank.session, "coupon", replace(COUPON, **said), seen, None, bank.clock.now)
    bank.session.commit()
    return row


def shown(bank: Bank, task: CallTask) -> dict[str, tuple[list[OfferBar], bool]]:
    found = offering.offers_on_call(bank.session, task, bank.agent_id, bank.clock.now)
    return {one.offer.code: ([bar.why for bar in one.barred], one.grant is not None) for one in found}


# -- one call ---------------------------------------------------------------------------------------------


def test_an_offer_is_granted_once_however_often_it_is_pressed(bank: Bank, call: Any) -> None:
    task, attempt = call
    assert shown(bank, task) == {"coupon": ([], False)}
    first, second = grants(bank, task), grants(bank, task)
    assert first.id == second.id and first.attempt_id == attempt.id
    assert (first.cost, first.currency, first.day_on.isoformat()) == (Decimal("22.50"), "CNY", "2026-11-18")
    assert shown(bank, task)["coupon"][1]
    acts = bank.session.exec(select(AuditEntry.act).where(col(AuditEntry.act).startswith("offer."))).all()
    assert sorted(acts) == ["offer.added", "offer.granted"]


def test_it_is_taken_back_until_the_wrap_up_is_saved_and_may_be_granted_again(bank: Bank, call: Any) -> None:
    task, _ = call
    changes(bank, per_customer=1)
    first = grants(bank, task)
    for _ in range(2):
        offering.take_back_offer(bank.session, first.id, bank.agent_id, bank.clock.now)
        bank.session.commit()
    second = grants(bank, task)
    assert second.id != first.id
    pipeline.close_call(
        bank.session, bank.house, task.id, WrapUp("will_finish"), bank.agent_id, bank.clock.now
    )
    bank.session.commit()
    with pytest.raises(Forbidden if task.agent_id is None else Conflict):
        offering.take_back_offer(bank.session, second.id, bank.agent_id, bank.clock.now)
    with pytest.raises(Conflict):
        offering.grant_offer(bank.session, task.id, "coupon", bank.agent_id, bank.clock.now)
    acts = bank.session.exec(select(AuditEntry.act).where(col(AuditEntry.act).startswith("offer."))).all()
    assert sorted(acts).count("offer.taken_back") == 1


def test_nobody_grants_on_a_call_that_is_not_theirs_or_reached_nobody(bank: Bank, call: Any) -> None:
    task, attempt = call
    other = bank.another_agent()
    with pytest.raises(Forbidden):
        offering.grant_offer(bank.session, task.id, "coupon", other, bank.clock.now)
    with pytest.raises(NotFound):
        offering.grant_offer(bank.session, task.id, "nothing", bank.agent_id, bank.clock.now)
    attempt.bridged_at = None
    bank.session.commit()
    with pytest.raises(Conflict, match="Nobody was spoken with"):
        offering.grant_offer(bank.session, task.id, "coupon", bank.agent_id, bank.clock.now)


def test_a_result_that_says_nobody_was_reached_does_not_go_with_a_grant(bank: Bank, call: Any) -> None:
    task, _ = call
    one = grants(bank, task)
    with pytest.raises(BadInput, match="An offer was granted"):
        pipeline.close_call(
            bank.session, bank.house, task.id, WrapUp("machine"), bank.agent_id, bank.clock.now
        )
    bank.session.rollback()
    offering.take_back_offer(bank.session, one.id, bank.agent_id, bank.clock.now)
    pipeline.close_call(bank.session, bank.house, task.id, WrapUp("machine"), bank.agent_id, bank.clock.now)


def test_what_is_not_meant_for_the_call_is_not_shown_and_not_granted(bank: Bank, call: Any) -> None:
    task, _ = call
    changes(bank, steps=("loan/withdraw",))
    assert shown(bank, task) == {}
    with pytest.raises(Conflict, match="not meant for this call"):
        grants(bank, task)
    bank.session.rollback()
    changes(bank, steps=("loan/id_photo",))
    assert shown(bank, task) == {"coupon": ([], False)}
    offering.end_offer(bank.session, "coupon", None, bank.clock.now, ended=True)
    assert shown(bank, task) == {}
    with pytest.raises(Conflict, match="not meant for this call"):
        grants(bank, task)


def test_who_objects_to_marketing_is_offered_nothing(bank: Bank, call: Any) -> None:
    task, _ = call
    user = bank.session.get_one(
        type(bank.customer(user_in_arm("id-photo-trouble", held_out=False))), task.customer_id
    )
    bank.takes(
        {"type": "track", "userId": user.external_id, "event": "Marketing Objection", "messageId": "o1",
         "properties": {"source": "app"}}
    )  # fmt: skip
    assert shown(bank, task) == {"coupon": ([OfferBar.OBJECTS], False)}
    with pytest.raises(Conflict, match="may not be granted now"):
        grants(bank, task)


# -- the catalog ------------------------------------------------------------------------------------------


def test_a_change_is_kept_with_what_it_said_before_and_past_grants_keep_their_cost(
    bank: Bank, call: Any
) -> None:
    task, _ = call
    one = grants(bank, task)
    row = changes(bank, cost=Decimal(25), per_day=3)
    assert row.version == 2
    bank.session.refresh(one)
    assert (one.offer_version, one.cost) == (1, Decimal("22.50"))
    entry = bank.session.exec(select(AuditEntry).where(AuditEntry.act == "offer.changed")).one()
    assert entry.detail["changed"] == {"cost": ["22.50", "25"], "per_day": ["None", "3"]}
    assert changes(bank, cost=Decimal(25), per_day=3).version == 2, "nothing changed"


def test_of_two_who_change_at_once_the_second_is_told(bank: Bank, call: Any) -> None:
    changes(bank, per_day=3)
    with pytest.raises(Conflict, match="meanwhile"):
        offering.change_offer(bank.session, "coupon", COUPON, 1, None, bank.clock.now)


def test_what_cannot_be_kept_is_refused_by_field(bank: Bank, call: Any) -> None:
    for code, terms, field in (
        ("coupon", COUPON, "code"),
        ("Bad Code", COUPON, "code"),
        ("new", replace(COUPON, rules=("nowhere",)), "rules"),
        ("new", replace(COUPON, cost=Decimal(-1)), "cost"),
    ):
        with pytest.raises(offering.OfferRefused) as refused:
            offering.add_offer(bank.session, code, terms, None, bank.clock.now)
        assert set(refused.value.problems) == {field}


# -- the effect -------------------------------------------------------------------------------------------


def test_a_rules_effect_knows_what_was_granted_and_what_it_cost(bank: Bank, call: Any) -> None:
    task, _ = call
    one = grants(bank, task)
    spent = spent_by_rule(bank.session)["id-photo-trouble"]
    assert (spent.granted, spent.cost) == (1, {"CNY": Decimal("22.50")})
    assert counts_per_rule(bank.session)["id-photo-trouble"].arms.assigned == 1
    offering.take_back_offer(bank.session, one.id, bank.agent_id, bank.clock.now)
    bank.session.commit()
    assert spent_by_rule(bank.session)["id-photo-trouble"].granted == 0
