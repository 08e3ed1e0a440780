"""Reads of trigger rules and firings."""

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlmodel import Session, col, select

from callcenter.ahead import Asked
from callcenter.db import cursor_of
from callcenter.domain.draws import in_canary
from callcenter.domain.enums import RuleState
from callcenter.domain.journey import JourneyDefinition
from callcenter.errors import BadInput
from callcenter.models import TriggerFiring, TriggerRule
from callcenter.triggers.life import VersionFacts, stamp_of
from callcenter.triggers.policy import RuleSpec, read_rule
from callcenter.triggers.rules import NO_RULES, StepRules

PINNED_VERSIONS = 5
"""So many versions before the current one go on for visits that began under them."""
MAX_TRIES = 5
"""After so many failures a firing is left for a person to look at, so that it cannot block the others."""


@dataclass(frozen=True, slots=True)
class RuleVersion:
    """A version of a rule that visits may fall under, compiled: published, or on trial as a canary.

    `applies_from` is None where open visits follow it too; `canary_from` is when it began to be tried on
    `canary_share` of the customers. `conditions` is the tree as it was written.
    """

    id: UUID
    version: int
    state: RuleState
    state_at: datetime
    applies_from: datetime | None
    conditions: Any
    spec: RuleSpec
    canary_from: datetime | None = None
    canary_share: float = 0.0

    def covers(self, opened_at: datetime, customer_id: UUID | None) -> bool:
        """Whether a visit of this customer that was opened then falls under the version.

        Also after it has gone live for everybody, the visits it was tried on stay with it.
        """
        if self.state is not RuleState.CANARY and (
            self.applies_from is None or self.applies_from <= opened_at
        ):
            return True
        if self.canary_from is None or customer_id is None or opened_at < self.canary_from:
            return False
        return in_canary(self.spec.key, self.version, customer_id, self.canary_share)


Tried = tuple[UUID, ...]
"""The versions on trial that a visit falls under."""


@dataclass(frozen=True)
class RuleSet:
    """Every rule that is live or paused, compiled, with the versions that visits may be pinned to.

    `broken` names the rules that no longer fit their journey, each with what is wrong: they fire nothing,
    and they keep no event from being taken. `canaries` are the versions on trial beside the current ones.
    """

    versions: Mapping[str, Sequence[RuleVersion]]
    broken: Mapping[str, str] = field(default_factory=dict)
    canaries: Mapping[str, RuleVersion] = field(default_factory=dict)
    _steps: dict[tuple[int, str, str, Tried], StepRules] = field(default_factory=dict, compare=False)

    def current(self, rule_key: str) -> RuleVersion | None:
        """Return the current version of a rule, live or paused; None when it is retired."""
        found = self.versions.get(rule_key)
        return found[-1] if found else None

    def all_current(self) -> list[RuleVersion]:
        """Return the current version of every rule, live or paused, by the rules' names."""
        return [self.versions[key][-1] for key in sorted(self.versions)]

    def spec(self, rule_key: str) -> RuleSpec | None:
        """Return the current spec of a rule, live or paused; None when it is retired."""
        current = self.current(rule_key)
        return current.spec if current else None

    def is_live(self, rule_key: str) -> bool:
        """Whether a rule runs."""
        current = self.current(rule_key)
        return current is not None and current.state == RuleState.LIVE

    def version_for(
        self, rule_key: str, opened_at: datetime, customer_id: UUID | None = None
    ) -> RuleVersion | None:
        """Return the version of a rule that a customer's visit opened then falls under; None when none does.

        A visit falls under the newest version that was published before it or that moves open visits; where
        one is on trial, under that if it is of one of its customers and began after the trial did.
        """
        canary = self.canaries.get(rule_key)
        if canary is not None and canary.covers(opened_at, customer_id):
            return canary
        for version in reversed(self.versions.get(rule_key, ())):
            if version.covers(opened_at, customer_id):
                return version
        return None

    def spec_of(self, rule_id: UUID, rule_key: str) -> RuleSpec | None:
        """Return the spec a firing was made by, or the rule's current one; None when the rule is retired."""
        known = list(self.versions.get(rule_key, ()))
        if canary := self.canaries.get(rule_key):
            known.append(canary)
        for version in known:
            if version.id == rule_id:
                return version.spec
        return self.spec(rule_key)

    @cached_property
    def eras(self) -> list[datetime]:
        """The moments between which every visit of a customer falls under the same versions."""
        known = [*self.canaries.values(), *(one for found in self.versions.values() for one in found)]
        moments = {one.applies_from for one in known} | {one.canary_from for one in known}
        return sorted(at for at in moments if at is not None)

    @cached_property
    def tried(self) -> tuple[RuleVersion, ...]:
        """Every version that is or was on trial, for which it counts whose visit it is."""
        known = [*self.canaries.values(), *(one for found in self.versions.values() for one in found)]
        return tuple(one for one in known if one.canary_from is not None)

    def on_step(
        self, journey: str, step: str, opened_at: datetime, customer_id: UUID | None = None
    ) -> StepRules:
        """Return the live rules that watch a step, for a customer's visit that we heard of then."""
        era = bisect_right(self.eras, opened_at)
        tried = tuple(
            one.id
            for one in self.tried
            if (one.spec.journey, one.spec.step) == (journey, step) and one.covers(opened_at, customer_id)
        )
        key = (era, journey, step, tried)
        if key not in self._steps:
            chosen = [
                self.version_for(rule_key, opened_at, customer_id)
                for rule_key in self.versions
                if self.is_live(rule_key)
            ]
            specs = [
                one.spec for one in chosen if one and (one.spec.journey, one.spec.step) == (journey, step)
            ]
            self._steps[key] = StepRules(tuple(specs)) if specs else NO_RULES
        return self._steps[key]


_STAMP = """
SELECT count(*)::text || '/' || coalesce(sum(hashtextextended(ctid::text || xmin::text, 0)), 0)::text
       || '/' || pg_postmaster_start_time()::text
FROM trigger_rule
"""
"""Changes whenever a rule's row does: every version of a row has another place or another transaction."""
_PUBLISHED = text("""
SELECT r.id FROM trigger_rule r
JOIN trigger_rule c ON c.rule_key = r.rule_key AND c.state IN ('live', 'paused')
WHERE r.id = c.id OR r.state = 'canary'
   OR (r.published_at IS NOT NULL AND r.superseded_at IS NOT NULL
       AND r.version BETWEEN c.version - :kept AND c.version - 1
       AND NOT EXISTS (SELECT FROM trigger_rule e
                        WHERE e.rule_key = r.rule_key AND e.version BETWEEN r.version AND c.version - 1
                          AND e.published_at IS NOT NULL AND e.superseded_at IS NULL))
""")
"""The current versions, those on trial beside them, and those before that visits may be pinned to. A rule that
was ended stays ended for the visits that were open then, also after a later version has taken it up again."""
_sets: dict[str, tuple[Mapping[str, JourneyDefinition], RuleSet]] = {}


def ask_for_rules(session: Session) -> Asked:
    """Ask whether a rule has changed; the answer is for `current_rules`."""
    return cursor_of(session).execute(_STAMP)


def current_rules(
    session: Session, journeys: Mapping[str, JourneyDefinition], asked: Asked | None = None
) -> RuleSet:
    """Return live and paused rules, compiled once for as long as neither they nor the journeys change."""
    (stamp,) = (asked or ask_for_rules(session)).fetchone() or ("",)
    kept = _sets.get(stamp)
    if kept is None or kept[0] is not journeys:
        if len(_sets) > 8:
            _sets.clear()
        kept = _sets[stamp] = (journeys, _compiled(session, journeys))
    return kept[1]


def _compiled(session: Session, journeys: Mapping[str, JourneyDefinition]) -> RuleSet:
    versions: dict[str, list[RuleVersion]] = {}
    broken: dict[str, str] = {}
    canaries: dict[str, RuleVersion] = {}
    wanted = list(session.scalars(_PUBLISHED, {"kept": PINNED_VERSIONS}))
    statement = (
        select(TriggerRule)
        .where(col(TriggerRule.id).in_(wanted))
        .order_by(col(TriggerRule.rule_key), col(TriggerRule.version))
        .execution_options(populate_existing=True)
    )
    for row in session.exec(statement):
        is_current = row.state in (RuleState.LIVE, RuleState.PAUSED)
        if row.journey not in journeys:
            continue
        try:
            spec = read_rule(row.definition, journeys[row.journey])
        except BadInput as error:
            if is_current:
                broken[row.rule_key] = error.message
                versions.pop(row.rule_key, None)
            continue
        version = RuleVersion(
            id=row.id,
            version=row.version,
            state=RuleState(row.state),
            state_at=row.state_at,
            applies_from=None if row.moves_open_visits else row.published_at,
            conditions=row.definition.get("conditions"),
            spec=spec,
            canary_from=row.canary_from,
            canary_share=row.canary_share or 0.0,
        )
        if version.state is RuleState.CANARY:
            canaries[row.rule_key] = version
        else:
            versions.setdefault(row.rule_key, []).append(version)
    kept = {key: one for key, one in canaries.items() if key in versions}
    return RuleSet({key: tuple(found) for key, found in versions.items()}, broken, kept)


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


def newest_version(session: Session, rule_key: str) -> TriggerRule | None:
    """Return the highest version of a rule, whatever its state."""
    statement = (
        select(TriggerRule).where(TriggerRule.rule_key == rule_key).order_by(col(TriggerRule.version).desc())
    )
    return session.exec(statement).first()


def current_version(session: Session, rule_key: str) -> TriggerRule | None:
    """Return the version of a rule that is live or paused; None when there is none."""
    return session.exec(
        select(TriggerRule)
        .where(TriggerRule.rule_key == rule_key)
        .where(col(TriggerRule.state).in_([RuleState.LIVE, RuleState.PAUSED]))
    ).first()


def versions_of(session: Session, rule_key: str) -> Sequence[TriggerRule]:
    """Return every version of a rule, the newest first; empty when there is no such rule."""
    return session.exec(
        select(TriggerRule).where(TriggerRule.rule_key == rule_key).order_by(col(TriggerRule.version).desc())
    ).all()


def versions_underway(session: Session) -> Sequence[TriggerRule]:
    """Return every draft and every version in review or on trial, what waits longest first."""
    return session.exec(
        select(TriggerRule)
        .where(col(TriggerRule.state).in_([RuleState.DRAFT, RuleState.IN_REVIEW, RuleState.CANARY]))
        .order_by(col(TriggerRule.state).desc(), col(TriggerRule.state_at))
    ).all()


def facts_of_version(row: TriggerRule, rows: Sequence[TriggerRule]) -> VersionFacts:
    """Return what decides what may be done with one of a rule's versions."""
    states = {one.state for one in rows}
    return VersionFacts(
        RuleState(row.state),
        row.created_by,
        row.submitted_by,
        is_overtaken=any(one.version > row.version and one.published_at for one in rows),
        has_live=RuleState.LIVE in states,
        has_canary=RuleState.CANARY in states,
        has_before=any(one.version < row.version and one.published_at for one in rows),
    )


def stamp_of_row(row: TriggerRule) -> str:
    """Return the mark that a form of this version must bring back to be saved."""
    return stamp_of(RuleState(row.state), row.definition, row.note)
