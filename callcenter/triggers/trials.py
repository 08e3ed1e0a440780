"""Versions of rules that are tried on some customers before they go live, and the way back from a live one."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlmodel import Session

from callcenter.domain.draws import CANARY_SHARE
from callcenter.domain.enums import RuleState
from callcenter.domain.journey import JourneyDefinition
from callcenter.errors import BadInput, Conflict, NotFound
from callcenter.models import TriggerRule
from callcenter.triggers.life import TRIAL_DAYS, RuleAct
from callcenter.triggers.policy import read_rule
from callcenter.triggers.trial_queries import version_before
from callcenter.triggers.versions import NOTE_LENGTH, Published, end_trials, may, new_version, versions_locked

_NOBODY = UUID(int=0)
"""The system itself, which has written no version."""


def write_version(
    session: Session,
    rule_key: str,
    raw: Mapping[str, Any],
    journey: JourneyDefinition,
    person_id: UUID,
    note: str,
    now: datetime,
) -> TriggerRule:
    """Write the next version of a rule as this person's, sent for review at once; a second person publishes it.

    Raises BadInput when the definition is wrong or of another step, Conflict when the rule is not live.
    """
    rows = versions_locked(session, rule_key)
    current = _current(rows)
    spec = read_rule(raw, journey)
    if (spec.key, spec.journey, spec.step) != (rule_key, current.journey, current.step):
        raise BadInput("rule: a version that is proposed keeps its name, its journey and its step")
    row = new_version(spec, rows[-1].version + 1, raw, person_id, now)
    row.state, row.note = RuleState.IN_REVIEW, note[:NOTE_LENGTH]
    row.submitted_by, row.submitted_at = person_id, now
    session.add(row)
    session.flush()
    return row


def begin_trial(
    session: Session,
    rule_key: str,
    version: int,
    journeys: Mapping[str, JourneyDefinition],
    person_id: UUID | None,
    days: int,
    now: datetime,
) -> TriggerRule:
    """Try a version in review on a fifth of the customers, beside the live one, for so many days.

    `person_id` is whoever reviewed it, and must not be its author; None for a proposal of the system's, which
    whoever accepts it has written down, and which a second person decides on afterwards. Raises Conflict where
    the rule is not live or another version is on trial, BadInput where the two differ in more than can be
    compared.
    """
    if days not in TRIAL_DAYS:
        raise BadInput(f"days: one of {', '.join(map(str, TRIAL_DAYS))}")
    rows = versions_locked(session, rule_key)
    row = may(rows, version, RuleAct.TRY, person_id or _NOBODY)
    current = _current(rows)
    journey = journeys.get(row.journey)
    if journey is None:
        raise BadInput(f"There is no journey {row.journey!r} any more. Send the version back.")
    new, old = read_rule(row.definition, journey), read_rule(current.definition, journey)
    if (new.journey, new.step, new.holdout) != (old.journey, old.step, old.holdout):
        raise BadInput("A canary keeps the journey, the step and the hold-out of the live version.")
    row.canary_from, row.canary_until = now, now + timedelta(days=days)
    row.canary_share, row.canary_ended_at = CANARY_SHARE, None
    row.state, row.state_at = RuleState.CANARY, now
    session.flush()
    return row


def stop_trial(
    session: Session, rule_key: str, version: int, person_id: UUID | None, now: datetime
) -> TriggerRule:
    """End a canary; its customers' visits go on under the live version. Anybody may, and so may the system."""
    rows = versions_locked(session, rule_key)
    row = may(rows, version, RuleAct.STOP_TRIAL, person_id or _NOBODY)
    row.canary_ended_at = now
    row.state, row.state_at = RuleState.RETIRED, now
    session.flush()
    return row


def roll_back(
    session: Session,
    rule_key: str,
    to_version: int | None,
    journeys: Mapping[str, JourneyDefinition],
    person_id: UUID | None,
    now: datetime,
) -> Published:
    """Publish what an earlier version says as a new one, at once; a paused rule stays paused.

    It stops harm, so nobody's leave is needed. `to_version` None: the one before. Open visits follow it. Raises
    Conflict where there is nothing to go back to, BadInput where it does not fit its journey any more.
    """
    rows = versions_locked(session, rule_key)
    current = _current(rows)
    may(rows, current.version, RuleAct.ROLL_BACK, person_id or _NOBODY)
    source = version_before(rows)
    if to_version is not None:
        source = next((one for one in rows if one.version == to_version), None)
        if source is None:
            raise NotFound(f"Rule {rule_key!r} has no version {to_version}.")
    if source is None or not source.published_at or source.version >= current.version:
        raise Conflict("There is no earlier published version that says anything else. Write a new draft.")
    journey = journeys.get(source.journey)
    if journey is None:
        raise BadInput(f"There is no journey {source.journey!r} any more. Write a new draft.")
    read_rule(source.definition, journey)
    state = RuleState(current.state)
    current.superseded_at, current.state, current.state_at = now, RuleState.RETIRED, now
    end_trials(rows, now)
    session.flush()
    row = new_version(source, rows[-1].version + 1, source.definition, person_id, now)
    row.state, row.note, row.moves_open_visits = state, f"v{source.version}", True
    row.published_by, row.published_at = person_id, now
    session.add(row)
    session.flush()
    return Published(row, current, state == RuleState.PAUSED)


def _current(rows: Sequence[TriggerRule]) -> TriggerRule:
    current = next((one for one in rows if one.state in (RuleState.LIVE, RuleState.PAUSED)), None)
    if current is None:
        raise Conflict(f"Rule {rows[0].rule_key!r} is neither live nor paused by now.")
    return current
