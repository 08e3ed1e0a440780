"""A bank with the example journeys of moments beside the loan, its calendar, and its days."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any

import yaml
from sqlmodel import select

from callcenter import acts, pipeline
from callcenter.domain.enums import CallResult, FiringFate, SuppressReason
from callcenter.journeys import service as journeys
from callcenter.journeys.queries import journeys_loaded
from callcenter.models import CallTask, JourneyEvent, TriggerFiring
from callcenter.outcomes.rules import WrapUp
from callcenter.triggers import service as triggers
from scripts_library.catalog import Catalog, load_catalog
from tests.factories import Bank

EXAMPLE = Path(__file__).parents[2] / "examples" / "moments"
Fate = tuple[str, FiringFate | None, SuppressReason | None]


def read(name: str) -> Any:
    """Read a file of the example."""
    return yaml.safe_load((EXAMPLE / name).read_text(encoding="utf-8"))


def example_rule(name: str) -> dict[str, Any]:
    """A rule of the example."""
    found: dict[str, Any] = next(rule for rule in read("rules.yaml") if rule["rule"] == name)
    return found


def with_moments(bank: Bank) -> Bank:
    """Load the example into a bank: its journeys and its scripts."""
    for name in ("deposit.yaml", "movement.yaml", "score.yaml"):
        others = journeys_loaded(bank.session).values()
        journeys.load_journey(bank.session, read(name), others, bank.clock.now)
    shipped = bank.house.catalog.scripts
    catalog = Catalog((*shipped, *load_catalog(EXAMPLE / "scripts").scripts))
    bank.house = replace(bank.house, catalog=catalog)
    bank.session.commit()
    return bank


def adopts(bank: Bank, *rules: Mapping[str, Any], **more: Any) -> None:
    """Make rules live; `more` is said by all of them."""
    for raw in rules:
        journey = journeys_loaded(bank.session)[raw.get("journey", "loan")]
        triggers.adopt_rule(bank.session, {"journey": "loan", **raw, **more}, journey, bank.clock.now)
    bank.session.commit()


def drops_rules(bank: Bank, *but: str) -> None:
    """Pause every rule of the sample but these."""
    from callcenter.models import TriggerRule

    for row in bank.session.exec(select(TriggerRule)).all():
        if row.rule_key not in but:
            acts.switch_rule(bank.session, row.rule_key, bank.agent_id, bank.clock.now, live=False)
    bank.session.commit()


def tracks(bank: Bank, user: str, event: str, **properties: Any) -> None:
    """Let a system of the bank report an event of a customer."""
    raw = {"type": "track", "userId": user, "event": event, "messageId": f"t{next(bank.sent)}"}
    bank.takes({**raw, "properties": properties})


def goes_through_calendar(bank: Bank, limit: int = 500) -> int:
    """Let the tick go through the calendar as often as it likes; return how many pages it read."""
    pages = 0
    for chapter in pipeline.dates_due(bank.session, bank.house, bank.clock.now):
        after = None
        while True:
            after = pipeline.announce_dates(bank.session, chapter, bank.clock.now, after, limit)
            bank.session.commit()
            pages += 1
            if after is None:
                break
    return pages


def announced(bank: Bank) -> list[tuple[str, str, str | None]]:
    """What the calendar has reported: the event, the date, the product."""
    rows = bank.session.exec(select(JourneyEvent).where(JourneyEvent.name.in_(_DATED)))  # type: ignore[attr-defined]
    return sorted((one.name, one.properties["due_on"], one.properties.get("product")) for one in rows)


_DATED = ("deposit_matures", "customer_anniversary")


def fates(bank: Bank) -> list[Fate]:
    """What became of every firing, oldest first, of one moment by rule."""
    bank.session.expire_all()
    rows = bank.session.exec(select(TriggerFiring)).all()
    return [
        (one.rule_key, one.fate, one.suppress_reason)
        for one in sorted(rows, key=lambda one: (one.fired_at, one.rule_key))
    ]


@dataclass(frozen=True)
class Said:
    """What an agent says after a call."""

    disposition: str
    causes: tuple[Any, ...] = ()


def calls(bank: Bank, task: CallTask, said: Said) -> datetime:
    """Let the agent reach the customer of a task, talk, and wrap up; return when they were dialled."""
    from callcenter.domain.enums import AttemptState

    bank.agent_is_available()
    bank.offers(task)
    at = bank.clock.now
    dialing = bank.dials(task)
    bank.hears(dialing.attempt_id, AttemptState.RINGING, ref=str(task.id))
    pipeline.answer_call(bank.session, bank.house, dialing.attempt_id, str(task.id), bank.clock.now)
    bank.clock.go_on(seconds=30)
    bank.hears(dialing.attempt_id, AttemptState.ENDED, CallResult.COMPLETED, ref=str(task.id))
    wrap_up = WrapUp(said.disposition, causes=said.causes)
    pipeline.close_call(bank.session, bank.house, task.id, wrap_up, bank.agent_id, bank.clock.now)
    bank.session.commit()
    return at
