"""Consent comes and goes with the customer's own events; an objection stops the rules that look at them for it."""

from datetime import timedelta
from typing import Any

import pytest
from sqlmodel import select

from callcenter import acts, pipeline
from callcenter.domain.enums import BarReason, FiringFate, SuppressReason, TaskState
from callcenter.models import Consent, QuarantinedEvent, ScreeningDecision, Suppression
from tests.factories import Bank, user_in_arm

RULE = "big-moment"


@pytest.fixture
def offer(bank: Bank) -> Bank:
    """The bank with one more rule: an offer of marketing, at once, to whoever uploads an ID photo."""
    from callcenter.journeys.queries import journeys_loaded

    journey = journeys_loaded(bank.session)["loan"]
    raw: dict[str, Any] = {
        "rule": RULE,
        "title": {"en": "Offer", "zh": "优惠"},
        "journey": "loan",
        "step": "id_photo",
        "preset": "dwell",
        "after": "30s",
        "purpose": "marketing",
        "holdout": 0.2,
    }
    acts.adopt_rule(bank.session, raw, journey, None, bank.clock.now)
    bank.session.commit()
    return bank


def says(bank: Bank, user: str, what: str, **properties: Any) -> pipeline.Intake:
    """Let a customer's app report what they said of being called."""
    return bank.sends(user, what, **properties)


def lingers(bank: Bank, user: str) -> None:
    """Let a customer stay on the ID-photo page until the rule has looked."""
    bank.sends(user, "id_photo_front")
    bank.clock.go_on(seconds=40)
    bank.ticks()


def last_decision(bank: Bank) -> ScreeningDecision:
    """What the gate said last."""
    decisions = bank.session.exec(select(ScreeningDecision).order_by(ScreeningDecision.id))  # type: ignore[arg-type]
    return decisions.all()[-1]


def test_without_consent_an_offer_is_not_made_and_with_it_it_is(offer: Bank) -> None:
    silent = user_in_arm(RULE, held_out=False)
    offer.knows(silent)
    lingers(offer, silent)
    (firing,) = offer.firings()
    assert (firing.fate, firing.suppress_reason) == (FiringFate.SUPPRESSED, SuppressReason.BARRED)
    assert last_decision(offer).reasons == [BarReason.NO_CONSENT]
    assert last_decision(offer).purpose == "marketing"

    willing = next(name for n in range(99) if (name := f"willing-{n}") and not _held_out(offer, name))
    offer.knows(willing)
    says(
        offer,
        willing,
        "Consent Given",
        purpose="marketing",
        text_version="2026-1",
        proof="screen 7",
        channel="app",
    )
    lingers(offer, willing)
    (task,) = offer.tasks()
    assert task.purpose == "marketing" and task.state == TaskState.PENDING
    (consent,) = offer.session.exec(select(Consent)).all()
    assert consent.text_version == "2026-1"


def _held_out(bank: Bank, user: str) -> bool:
    from callcenter.domain.ids import derived_id
    from callcenter.learning.service import draw_arm

    return draw_arm(RULE, derived_id("customer", user), 0.2, bank.clock.now).held_out


def test_a_consent_taken_back_bars_the_dial_that_was_offered(offer: Bank) -> None:
    user = user_in_arm(RULE, held_out=False)
    offer.agent_is_available()
    offer.knows(user)
    says(offer, user, "Consent Given", purpose="marketing", text_version="2026-1", proof="screen 7")
    lingers(offer, user)
    (task,) = offer.tasks()
    offer.offers(task)
    offer.clock.go_on(seconds=1)
    says(offer, user, "Consent Withdrawn", purpose="marketing")
    result = offer.dials(task)
    assert isinstance(result, pipeline.NotDialed) and result.verdict is not None
    assert result.verdict.reasons == (BarReason.NO_CONSENT,)
    assert offer.attempts() == []


def test_who_objects_is_not_even_looked_at_for_an_offer_and_still_helped(offer: Bank) -> None:
    user = user_in_arm("id-photo-trouble", held_out=False)
    offer.knows(user)
    says(offer, user, "Consent Given", purpose="marketing", text_version="2026-1", proof="screen 7")
    offer.clock.go_on(seconds=1)
    says(offer, user, "Marketing Objection")
    assert [one.kind for one in offer.session.exec(select(Suppression))] == ["objection"]
    lingers(offer, user)
    assert offer.firings() == [], "no profile of who objected"
    for attempt in (1, 2):
        offer.sends(user, "photo_rejected", reason="glare", attempt=attempt)
    offer.ticks()
    (firing,) = offer.firings()
    assert (firing.rule_key, firing.fate) == ("id-photo-trouble", FiringFate.TASK)


def test_the_same_word_twice_is_kept_once_and_nonsense_is_shown_to_somebody(offer: Bank) -> None:
    user = "customer-words"
    offer.knows(user)
    at = offer.clock.now - timedelta(minutes=1)
    for message_id in ("w1", "w1", "w2"):
        says(
            offer,
            user,
            "Consent Given",
            at=at,
            purpose="marketing",
            text_version="1",
            proof="screen 7",
            message_id=message_id,
        )
    assert len(offer.session.exec(select(Consent)).all()) == 1
    says(offer, user, "Consent Given", purpose="gossip")
    (refused,) = offer.session.exec(select(QuarantinedEvent)).all()
    assert "purpose" in refused.message
