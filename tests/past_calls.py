"""Calls of weeks ago about one step, each with a customer of their own, whose conversion window is over."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from itertools import count
from uuid import UUID

from sqlalchemy import text
from sqlmodel import select

from callcenter.domain.enums import AttemptState, CallResult, FiringFate, TaskState
from callcenter.domain.ids import derived_id
from callcenter.models import (
    CallTask,
    ContactAttempt,
    Customer,
    Disposition,
    Outcome,
    ScriptStep,
    TriggerFiring,
    TriggerRule,
    Visit,
)
from scripts_library.catalog import Catalog
from scripts_library.model import PerVariant, Script
from tests.factories import Bank

RULE = "id-photo-trouble"
GLARE = "id_photo_glare"
WINDOW = timedelta(days=3)


@dataclass(frozen=True)
class Past:
    """So many calls alike: the variant drawn, how many converted, and what happened in them."""

    n: int
    converted: int = 0
    variant: str = "A"
    propensity: float = 0.5
    allocated_on: date | None = None
    script_id: str = GLARE
    version: str = "1.2"
    days_ago: float = 10
    agent_id: UUID | None = None
    path: tuple[tuple[str, str], ...] = ()
    objection: str | None = None
    causes: tuple[str, ...] = ()
    reached: bool = True
    error: str | None = "photo_rejected"
    reason: str | None = "glare"
    again_from: int | None = None
    """Not new customers but those of earlier calls, from this one on."""


def past_calls(bank: Bank, *groups: Past) -> None:
    """Let these calls have been made."""
    rule = bank.session.exec(select(TriggerRule).where(TriggerRule.rule_key == RULE)).one()
    known = len(bank.session.exec(select(Outcome.firing_id)).all())
    numbers = count(known)
    for group in groups:
        rows = [_call(bank, rule.id, group, next(numbers), i) for i in range(group.n)]
        for kind in zip(*rows, strict=True):
            bank.session.add_all([one for many in kind for one in many])
            bank.session.flush()
    # As the database does by itself in time: thousands of new rows of which the planner knows nothing may be joined
    # row by row for minutes.
    bank.session.execute(text("ANALYZE"))
    bank.session.commit()


def _call(bank: Bank, rule_id: UUID, group: Past, number: int, place_in_group: int) -> Sequence[list[object]]:
    at = bank.clock.now - timedelta(days=group.days_ago)
    name = f"past-{number}"
    visit_id, firing_id, task_id, attempt_id = (
        derived_id(kind, name) for kind in ("visit", "firing", "task", "attempt")
    )
    converts, earlier = place_in_group < group.converted, group.again_from
    customer_id = derived_id("customer", name if earlier is None else f"past-{earlier + place_in_group}")
    sequence = 1 if earlier is None else number + 2
    place = {"customer_id": customer_id, "journey": "loan", "step": "id_photo"}
    facts = {"error": group.error, "error_reason": group.reason} if group.error else {}
    customer = Customer(
        id=customer_id, external_id=name, number=f"+86139{number:08d}", created_at=at, updated_at=at
    )
    visit = Visit(
        id=visit_id, visit_seq=sequence, opened_at=at, entered_at=at, last_activity_at=at,
        closed_at=at + timedelta(hours=3), **place,
    )  # fmt: skip
    firing = TriggerFiring(
        id=firing_id, rule_id=rule_id, rule_key=RULE, visit_id=visit_id, visit_seq=sequence,
        anchor_at=at, due_at=at, wake_at=at, fired_at=at, decided_at=at, fate=FiringFate.TASK, facts=facts, **place,
    )  # fmt: skip
    outcome = Outcome(
        firing_id=firing_id, customer_id=customer_id, journey="loan", goal_position=3, window_from=at,
        window_until=at + WINDOW, converted_at=at + timedelta(hours=2) if converts else None,
    )  # fmt: skip
    task = CallTask(
        id=task_id, firing_id=firing_id, rule_key=RULE, visit_id=visit_id, state=TaskState.COMPLETED, state_at=at,
        created_at=at, not_before_at=at, expires_at=at + timedelta(hours=4), closed_at=at, attempts=1,
        script_id=group.script_id, script_version=group.version, script_variant=group.variant,
        script_propensity=group.propensity, script_allocated_on=group.allocated_on, facts=facts, **place,
    )  # fmt: skip
    agent_id = group.agent_id or bank.agent_id
    attempt = ContactAttempt(
        id=attempt_id, call_task_id=task_id, customer_id=customer_id, agent_id=agent_id, firing_id=firing_id,
        to_number=customer.number, campaign="loan", caller_id="+15005550006", state=AttemptState.ENDED,
        result=CallResult.COMPLETED, claimed_at=at, last_news_at=at, script_id=group.script_id,
        script_version=group.version, script_variant=group.variant,
    )  # fmt: skip
    said = Disposition(
        attempt_id=attempt_id, kind_code="done_on_call" if group.reached else "no_answer", agent_id=agent_id,
        at=at + timedelta(minutes=5), causes=list(group.causes),
    )  # fmt: skip
    steps: list[object] = [
        ScriptStep(
            call_task_id=task_id, agent_id=agent_id, at=at + timedelta(minutes=i), node=node, branch=branch
        )
        for i, (node, branch) in enumerate(group.path, 1)
    ]
    if group.objection:
        steps.append(
            ScriptStep(
                call_task_id=task_id,
                agent_id=agent_id,
                at=at + timedelta(minutes=9),
                objection=group.objection,
            )
        )
    people: list[object] = [customer] if earlier is None else []
    return [people, [visit], [firing], [outcome, task], [attempt], [said, *steps]]


def with_a_third_variant(catalog: Catalog, script_id: str = GLARE) -> Catalog:
    """The same library, in which one script has a variant C besides."""
    return replace(
        catalog, scripts=tuple(_third(one) if one.id == script_id else one for one in catalog.scripts)
    )


def _third(script: Script) -> Script:
    opening, reason = script.opening.of("A"), script.reason.of("A")
    return replace(
        script,
        opening=PerVariant((*script.opening.texts, ("C", opening))),
        reason=PerVariant((*script.reason.texts, ("C", replace(reason, text=f"{reason.text}\nNow.")))),
        variant_notes=(*script.variant_notes, ("C", "Third")),
    )
