"""Reads of trigger rules and firings."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from sqlmodel import Session, col, select

from callcenter.domain.enums import RuleState
from callcenter.domain.journey import JourneyDefinition
from callcenter.errors import BadInput
from callcenter.models import TriggerFiring, TriggerRule
from callcenter.triggers.policy import RuleSpec, read_rule

_compiled: dict[tuple[UUID, datetime], tuple[JourneyDefinition, RuleSpec]] = {}
"""Each rule version's spec, with the reading of its journey it was compiled against."""


@dataclass(frozen=True)
class RuleSet:
    """The current version of every rule, compiled; `on_step` holds the live ones by journey and step.

    `broken` names the rules that no longer fit their journey, each with what is wrong: they fire nothing,
    and they keep no event from being taken.
    """

    rules: Mapping[str, tuple[TriggerRule, RuleSpec]]
    on_step: Mapping[tuple[str, str], tuple[RuleSpec, ...]]
    broken: Mapping[str, str] = field(default_factory=dict)

    def spec(self, rule_key: str) -> RuleSpec | None:
        """Return the current spec of a rule, live or paused; None when it is retired."""
        found = self.rules.get(rule_key)
        return found[1] if found else None

    def row(self, rule_key: str) -> TriggerRule:
        """Return the row of a rule's current version."""
        return self.rules[rule_key][0]


def current_rules(session: Session, journeys: Mapping[str, JourneyDefinition]) -> RuleSet:
    """Load live and paused rules, compiled once per version."""
    rules: dict[str, tuple[TriggerRule, RuleSpec]] = {}
    on_step: dict[tuple[str, str], list[RuleSpec]] = {}
    broken: dict[str, str] = {}
    statement = (
        select(TriggerRule)
        .where(col(TriggerRule.state).in_([RuleState.LIVE, RuleState.PAUSED]))
        .order_by(col(TriggerRule.rule_key))
    )
    for row in session.exec(statement):
        if row.journey not in journeys:
            continue
        journey = journeys[row.journey]
        kept = _compiled.get((row.id, row.created_at))
        if kept is None or kept[0] is not journey:
            try:
                kept = (journey, read_rule(row.definition, journey))
            except BadInput as error:
                broken[row.rule_key] = error.message
                continue
            _compiled[row.id, row.created_at] = kept
        spec = kept[1]
        rules[row.rule_key] = (row, spec)
        if row.state == RuleState.LIVE:
            on_step.setdefault((row.journey, row.step), []).append(spec)
    return RuleSet(rules, {key: tuple(specs) for key, specs in on_step.items()}, broken)


def firings_undecided(session: Session, limit: int) -> Sequence[TriggerFiring]:
    """Claim firings whose fate is open; those another process holds are left to it."""
    return session.exec(
        select(TriggerFiring)
        .where(col(TriggerFiring.fate).is_(None))
        .where(TriggerFiring.tries < MAX_TRIES)
        .order_by(col(TriggerFiring.fired_at))
        .limit(limit)
        .with_for_update(skip_locked=True)
    ).all()


MAX_TRIES = 5
"""After so many failures a firing is left for a person to look at, so that it cannot block the others."""


def newest_version(session: Session, rule_key: str) -> TriggerRule | None:
    """Return the highest version of a rule, whatever its state."""
    statement = (
        select(TriggerRule).where(TriggerRule.rule_key == rule_key).order_by(col(TriggerRule.version).desc())
    )
    return session.exec(statement).first()
