"""Keep the versions of rules: drafts, their review, what goes live and what ends.

Every write locks the rule's versions in order first, so that of two people one comes second and is told.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy.exc import IntegrityError
from sqlmodel import Session, col, select

from callcenter.domain.enums import RuleState
from callcenter.domain.ids import derived_id
from callcenter.domain.journey import JourneyDefinition
from callcenter.errors import BadInput, Conflict, Forbidden, NotFound
from callcenter.models import TriggerRule
from callcenter.triggers import by_hand
from callcenter.triggers.life import RuleAct, WhyNot, why_not
from callcenter.triggers.policy import RuleSpec, read_rule
from callcenter.triggers.queries import facts_of_version, stamp_of_row

NOTE_LENGTH = 500
"""The longest note or reason that is kept, in characters."""


@dataclass(frozen=True, slots=True)
class Published:
    """A version that went live, and the one it took the place of, if there was one.

    `was_paused` says that nothing ran until now.
    """

    row: TriggerRule
    before: TriggerRule | None
    was_paused: bool


def versions_locked(session: Session, rule_key: str) -> Sequence[TriggerRule]:
    """Lock all versions of a rule, the oldest first. Raises NotFound when there is none.

    Not so hard that a firing could not refer to one: whoever fires holds visits, and this goes on to lock them.
    """
    rows = session.exec(
        select(TriggerRule)
        .where(TriggerRule.rule_key == rule_key)
        .order_by(col(TriggerRule.version))
        .with_for_update(key_share=True)
        .execution_options(populate_existing=True)
    ).all()
    if not rows:
        raise NotFound(f"There is no rule {rule_key!r}.")
    return rows


def begin_rule(
    session: Session,
    raw: Mapping[str, Any],
    journey: JourneyDefinition,
    author_id: UUID,
    now: datetime,
) -> TriggerRule:
    """Begin a new rule as a draft. Raises BadInput for a wrong definition, Conflict for a name in use."""
    spec = read_rule(raw, journey)
    by_hand.keep_reserved(spec.key)
    if session.exec(select(TriggerRule.id).where(TriggerRule.rule_key == spec.key)).first():
        raise Conflict(f"There is a rule {spec.key!r} already. Choose another name, or change that rule.")
    row = new_version(spec, 1, raw, author_id, now)
    try:
        with session.begin_nested():
            session.add(row)
    except IntegrityError as error:
        raise Conflict(f"Somebody has just begun a rule {spec.key!r}. Choose another name.") from error
    return row


def draft_from(session: Session, rule_key: str, version: int, author_id: UUID, now: datetime) -> TriggerRule:
    """Begin the next version of a rule as a draft that says what an earlier one says."""
    by_hand.keep_reserved(rule_key)
    rows = versions_locked(session, rule_key)
    source = _the(rows, version)
    row = new_version(source, rows[-1].version + 1, source.definition, author_id, now)
    session.add(row)
    session.flush()
    return row


def save_draft(
    session: Session,
    rule_key: str,
    version: int,
    raw: Mapping[str, Any],
    journey: JourneyDefinition,
    author_id: UUID,
    *,
    seen: str,
    note: str,
) -> tuple[TriggerRule, bool]:
    """Write a draft anew; say also whether it was any different. `seen` is the stamp of what was edited.

    Raises Conflict when the draft has changed since, so that one tab never overwrites the other unseen.
    """
    rows = versions_locked(session, rule_key)
    row = may(rows, version, RuleAct.EDIT, author_id)
    if seen != stamp_of_row(row):
        raise Conflict(
            "This draft was saved in another place since you opened it. Compare, then save yours over it."
        )
    if raw.get("rule") != rule_key:
        raise BadInput(f"rule: the name stays {rule_key!r}; a new rule has a name of its own")
    spec = read_rule(raw, journey)
    note = note[:NOTE_LENGTH]
    if row.definition == dict(raw) and row.note == note:
        return row, False
    row.definition, row.note = dict(raw), note
    row.journey, row.step, row.preset = spec.journey, spec.step, spec.preset
    session.flush()
    return row, True


def submit_draft(
    session: Session, rule_key: str, version: int, person_id: UUID, note: str, now: datetime
) -> TriggerRule:
    """Send a draft for review; from here on its definition stays as it is. A note says why it is wanted."""
    rows = versions_locked(session, rule_key)
    row = may(rows, version, RuleAct.SUBMIT, person_id)
    if not note.strip():
        raise BadInput(
            "Say why this version is wanted; whoever reviews it reads that first.", {"note": ["why"]}
        )
    row.note, row.submitted_by, row.submitted_at = note.strip()[:NOTE_LENGTH], person_id, now
    return _enter(session, row, RuleState.IN_REVIEW, now)


def send_back(
    session: Session, rule_key: str, version: int, person_id: UUID, reason: str, now: datetime
) -> TriggerRule:
    """Make a version in review a draft again, with the reason; who submitted it is forgotten with that."""
    rows = versions_locked(session, rule_key)
    row = may(rows, version, RuleAct.SEND_BACK, person_id)
    if not reason.strip():
        raise BadInput("Say what is to be changed; the author reads that first.", {"reason": ["why"]})
    row.submitted_by, row.submitted_at = None, None
    return _enter(session, row, RuleState.DRAFT, now)


def discard_draft(
    session: Session, rule_key: str, version: int, person_id: UUID, now: datetime
) -> TriggerRule:
    """Give a draft up. It stays to be read, and its number is not used again."""
    rows = versions_locked(session, rule_key)
    return _enter(session, may(rows, version, RuleAct.DISCARD, person_id), RuleState.RETIRED, now)


def publish(
    session: Session,
    rule_key: str,
    version: int,
    journeys: Mapping[str, JourneyDefinition],
    person_id: UUID,
    now: datetime,
    *,
    migrate: bool,
) -> Published:
    """Make a reviewed version live in the place of the current one.

    `migrate` lets the visits that are open follow it; without it they stay with the version they began
    under. Raises Forbidden for its author and its submitter, Conflict when it has been overtaken, and
    BadInput when it does not fit its journey any more.
    """
    rows = versions_locked(session, rule_key)
    row = may(rows, version, RuleAct.PUBLISH, person_id)
    journey = journeys.get(row.journey)
    if journey is None:
        raise BadInput(f"There is no journey {row.journey!r} any more. Send the version back.")
    read_rule(row.definition, journey)
    end_trials(rows, now, but=row)
    if row.state == RuleState.CANARY:
        row.canary_ended_at = now
    before = next((one for one in rows if one.state in (RuleState.LIVE, RuleState.PAUSED)), None)
    was_paused = before is not None and before.state == RuleState.PAUSED
    if before:
        before.superseded_at = now
        _enter(session, before, RuleState.RETIRED, now)
    row.published_by, row.published_at, row.moves_open_visits = person_id, now, migrate
    return Published(_enter(session, row, RuleState.LIVE, now), before, was_paused)


def retire(session: Session, rule_key: str, person_id: UUID, now: datetime) -> TriggerRule:
    """End a rule: it fires no more, also for visits that began under it. A later version may take it up."""
    rows = versions_locked(session, rule_key)
    current = next((one for one in rows if one.state in (RuleState.LIVE, RuleState.PAUSED)), None)
    if current is None:
        raise Conflict(f"Rule {rule_key!r} is neither live nor paused; there is nothing to end.")
    may(rows, current.version, RuleAct.RETIRE, person_id)
    end_trials(rows, now)
    return _enter(session, current, RuleState.RETIRED, now)


def new_version(
    like: RuleSpec | TriggerRule, version: int, raw: Mapping[str, Any], author_id: UUID | None, now: datetime
) -> TriggerRule:
    """Return a version of a rule, a draft as yet, that says `raw`; `like` names rule, journey, step and preset."""
    rule_key = like.key if isinstance(like, RuleSpec) else like.rule_key
    return TriggerRule(
        id=derived_id("rule", rule_key, version),
        rule_key=rule_key,
        version=version,
        journey=like.journey,
        step=like.step,
        preset=like.preset,
        state=RuleState.DRAFT,
        state_at=now,
        definition=dict(raw),
        created_at=now,
        created_by=author_id,
    )


def _enter(session: Session, row: TriggerRule, state: RuleState, now: datetime) -> TriggerRule:
    row.state, row.state_at = state, now
    session.flush()
    return row


def _the(rows: Sequence[TriggerRule], version: int) -> TriggerRule:
    found = next((one for one in rows if one.version == version), None)
    if found is None:
        raise NotFound(f"Rule {rows[0].rule_key!r} has no version {version}.")
    return found


def end_trials(rows: Sequence[TriggerRule], now: datetime, but: TriggerRule | None = None) -> None:
    """End what of a rule's versions is on trial: beside another live version it can be compared no more."""
    for row in rows:
        if row.state == RuleState.CANARY and row is not but:
            row.state, row.state_at, row.canary_ended_at = RuleState.RETIRED, now, now


def may(rows: Sequence[TriggerRule], version: int, act: RuleAct, person_id: UUID) -> TriggerRule:
    """Return a version if this person may do this with it; the refusal says what to do instead.

    Raises NotFound, Conflict or Forbidden.
    """
    row = _the(rows, version)
    name = f"Version {version} of {row.rule_key!r}"
    match why_not(act, facts_of_version(row, rows), person_id):
        case WhyNot.WRONG_STATE:
            raise Conflict(
                f"{name} is {row.state.replace('_', ' ')} by now. Reload the page to see it as it is."
            )
        case WhyNot.OVERTAKEN:
            newest = max(one.version for one in rows if one.published_at)
            raise Conflict(
                f"Version {newest} went live meanwhile. Begin a new draft from it, and bring over what of"
                f" version {version} is still wanted."
            )
        case WhyNot.NOTHING_LIVE:
            raise Conflict(
                f"{name} has nothing to be tried beside: no version of the rule is live. Publish it."
            )
        case WhyNot.ON_TRIAL:
            raise Conflict("Another version of this rule is on trial. Stop that canary first, or adopt it.")
        case WhyNot.NOTHING_BEFORE:
            raise Conflict("There is no earlier published version to go back to. Pause the rule instead.")
        case WhyNot.OWN_WORK:
            raise Forbidden(f"{name} is your own work. A second person must publish it.")
        case WhyNot.NOT_AUTHOR:
            raise Forbidden(f"{name} is somebody else's draft. Begin one of your own from it.")
    return row
