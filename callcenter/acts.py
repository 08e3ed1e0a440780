"""What people do to the house: rules are written, reviewed and published, sources and their keys kept in order.

Verbs as in the pipeline, and beside it for its length: each takes a session, ids or frozen values and `now`,
and commits nothing. Each act is in the audit trail.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlmodel import Session

from callcenter import moves, outbox
from callcenter.accounts import service as accounts
from callcenter.db import speaks_of_the_database
from callcenter.domain.enums import QuarantineState
from callcenter.domain.events import EventValue
from callcenter.domain.journey import JourneyDefinition
from callcenter.errors import BadInput, CallCenterError
from callcenter.intake import keys, quarantine
from callcenter.intake.poison import poison
from callcenter.intake.rules import EventBatch
from callcenter.journeys import queries as journey_queries
from callcenter.journeys.records import visits_open_on
from callcenter.models import EventSource, TriggerRule
from callcenter.pipeline import take_events
from callcenter.rule_needs import require_needs
from callcenter.triggers import queries as trigger_queries
from callcenter.triggers import service as triggers
from callcenter.triggers import versions as rule_versions
from callcenter.triggers.firings import FiringDraft, store_firings
from callcenter.triggers.history import about_customers
from callcenter.triggers.queries import RuleSet

# -- rules ------------------------------------------------------------------------------------------------


def switch_rule(session: Session, rule_key: str, user_id: UUID, now: datetime, *, live: bool) -> None:
    """Pause a rule or let it run again. Only deadlines still ahead fire then: nobody is called for a moment
    that passed while the rule was paused."""
    before = trigger_queries.current_rules(session, journey_queries.journeys_loaded(session))
    row = triggers.switch_rule(session, rule_key, live=live, now=now)
    watch_anew(session, before, row, now, skips_past=live, keeps_missed=False)
    accounts.record(session, user_id, "rule.resumed" if live else "rule.paused", rule_key, now)


def adopt_rule(
    session: Session, raw: Mapping[str, Any], journey: JourneyDefinition, user_id: UUID | None, now: datetime
) -> TriggerRule:
    """Make a definition live at once, as whoever may type at the server's shell can; the audit trail says so."""
    require_needs(session, raw)
    row = triggers.adopt_rule(session, raw, journey, now)
    if row.created_at == now:
        accounts.record(session, user_id, "rule.adopted", row.rule_key, now, version=row.version)
        outbox.ring(session, outbox.STUDIO)
    return row


def begin_rule(session: Session, raw: Mapping[str, Any], user_id: UUID, now: datetime) -> TriggerRule:
    """Begin a new rule as a draft of this person's."""
    require_needs(session, raw)
    row = rule_versions.begin_rule(session, raw, journey_of(session, raw), user_id, now)
    record_rule(session, row, user_id, "rule.drafted", now)
    return row


def draft_rule(session: Session, rule_key: str, version: int, user_id: UUID, now: datetime) -> TriggerRule:
    """Begin the next version of a rule as a draft that says what this version says; so one also goes back."""
    row = rule_versions.draft_from(session, rule_key, version, user_id, now)
    record_rule(session, row, user_id, "rule.drafted", now, like=version)
    return row


def save_rule_draft(
    session: Session,
    rule_key: str,
    version: int,
    raw: Mapping[str, Any],
    user_id: UUID,
    now: datetime,
    *,
    seen: str,
    note: str,
) -> TriggerRule:
    """Write a draft anew, unless it has changed since it was `seen`. What it asks of agents must be there."""
    journey = journey_of(session, raw)
    require_needs(session, raw)
    row, is_new = rule_versions.save_draft(
        session, rule_key, version, raw, journey, user_id, seen=seen, note=note
    )
    if is_new:
        record_rule(session, row, user_id, "rule.draft_saved", now)
    return row


def submit_rule(
    session: Session, rule_key: str, version: int, user_id: UUID, now: datetime, *, note: str
) -> None:
    """Send a draft for review, with why it is wanted."""
    row = rule_versions.submit_draft(session, rule_key, version, user_id, note, now)
    require_needs(session, row.definition)
    record_rule(session, row, user_id, "rule.submitted", now, note=row.note)


def send_rule_back(
    session: Session, rule_key: str, version: int, user_id: UUID, now: datetime, *, reason: str
) -> None:
    """Make a version in review a draft again, with what is to be changed."""
    row = rule_versions.send_back(session, rule_key, version, user_id, reason, now)
    record_rule(session, row, user_id, "rule.sent_back", now, reason=reason.strip())


def discard_rule_draft(session: Session, rule_key: str, version: int, user_id: UUID, now: datetime) -> None:
    """Give a draft up."""
    row = rule_versions.discard_draft(session, rule_key, version, user_id, now)
    record_rule(session, row, user_id, "rule.discarded", now)


def publish_rule(
    session: Session, rule_key: str, version: int, user_id: UUID, now: datetime, *, migrate: bool
) -> int:
    """Make a reviewed version live, as a second person's act; return how many visits it came too late for.

    Visits that are open stay with the version they began under, or follow (`migrate`): then only deadlines
    still ahead fire, and those that passed are kept as firings that would have been. Raises BadInput where the
    skill or the team it asks for is not there any more.
    """
    definitions = journey_queries.journeys_loaded(session)
    before = trigger_queries.current_rules(session, definitions)
    done = rule_versions.publish(session, rule_key, version, definitions, user_id, now, migrate=migrate)
    require_needs(session, done.row.definition)
    missed = 0
    if migrate or done.was_paused:
        missed = watch_anew(session, before, done.row, now, skips_past=True, keeps_missed=migrate)
    visits = "migrate" if migrate else "pin"
    record_rule(session, done.row, user_id, "rule.published", now, open_visits=visits, missed=missed)
    outbox.ring(session, outbox.FLOOR)
    return missed


def retire_rule(session: Session, rule_key: str, user_id: UUID, now: datetime, *, reason: str) -> None:
    """End a rule. Call tasks it has opened already stay; nothing of it fires any more."""
    row = rule_versions.retire(session, rule_key, user_id, now)
    record_rule(session, row, user_id, "rule.retired", now, reason=reason.strip())
    outbox.ring(session, outbox.FLOOR)


def watch_anew(
    session: Session,
    before: RuleSet,
    row: TriggerRule,
    now: datetime,
    *,
    skips_past: bool,
    keeps_missed: bool,
) -> int:
    """Look at the open visits on a rule's step, first as the rules were `before`, then as they are now.

    Returns for how many a deadline had passed, where that is kept.
    """
    visits = visits_open_on(session, row.journey, row.step)
    rules = trigger_queries.current_rules(session, journey_queries.journeys_loaded(session))
    missed: list[FiringDraft] = []
    if skips_past:
        moves.look_at(session, before, visits, now)
        passed = triggers.skip_past(rules, visits, row.rule_key, now)
        if keeps_missed:
            missed = triggers.note_missed(
                rules, passed, lambda ids, asked: about_customers(session, ids, asked, now), now
            )
    moves.look_at(session, rules, visits, now)
    store_firings(session, missed)
    outbox.ring(session, outbox.STUDIO, outbox.FLOOR)
    return len(missed)


def journey_of(session: Session, raw: Mapping[str, Any]) -> JourneyDefinition:
    """Return the journey a definition is of. Raises BadInput where it is not loaded."""
    known = journey_queries.journeys_loaded(session)
    if journey := known.get(str(raw.get("journey"))):
        return journey
    raise BadInput(
        f"journey: {raw.get('journey')!r} is not loaded; there is {', '.join(known) or 'none yet'}"
    )


def record_rule(
    session: Session, row: TriggerRule, user_id: UUID | None, act: str, now: datetime, **detail: object
) -> None:
    """Put an act on a version into the audit trail, and tell the studio."""
    accounts.record(session, user_id, act, row.rule_key, now, version=row.version, **detail)
    outbox.ring(session, outbox.STUDIO)


# -- sources, write keys, quarantine ----------------------------------------------------------------------


def create_source(
    session: Session,
    name: str,
    limits: keys.SourceLimits,
    write_key: str,
    user_id: UUID | None,
    now: datetime,
) -> EventSource:
    """Create a source with its first write key. Raises BadInput, or Conflict when its name is taken."""
    source = keys.create_source(session, name, limits, write_key, user_id, now)
    _record_source(session, "source.added", source, user_id, now, hint=write_key[-4:], **asdict(limits))
    return source


def set_source(
    session: Session, source_id: UUID, limits: keys.SourceLimits, user_id: UUID | None, now: datetime
) -> None:
    """Change how late a source's events may come and how often it may ask."""
    source = keys.set_source(session, source_id, limits)
    _record_source(session, "source.changed", source, user_id, now, **asdict(limits))


def switch_source(
    session: Session, source_id: UUID, user_id: UUID | None, now: datetime, *, enabled: bool
) -> None:
    """Switch a source on or off."""
    source = keys.switch_source(session, source_id, enabled=enabled)
    act = "source.enabled" if enabled else "source.disabled"
    _record_source(session, act, source, user_id, now)


def rotate_key(
    session: Session,
    source_id: UUID,
    write_key: str,
    old_ends_at: datetime,
    user_id: UUID | None,
    now: datetime,
) -> EventSource:
    """Give a source a new write key; the keys before it end at `old_ends_at` at the latest."""
    source = keys.rotate_key(session, source_id, write_key, old_ends_at, user_id, now)
    ends = {"old_keys_end_at": old_ends_at.isoformat()}
    _record_source(session, "source.keyed", source, user_id, now, hint=write_key[-4:], **ends)
    return source


def end_key(session: Session, source_id: UUID, key_id: int, user_id: UUID | None, now: datetime) -> None:
    """End a write key now."""
    source, key = keys.end_key(session, source_id, key_id, now)
    _record_source(session, "source.key_ended", source, user_id, now, hint=key.hint)


def _record_source(
    session: Session, act: str, source: EventSource, user_id: UUID | None, now: datetime, **detail: object
) -> None:
    accounts.record(session, user_id, act, source.name, now, **detail)
    outbox.ring(session, outbox.STUDIO)


@dataclass(frozen=True, slots=True)
class Redriven:
    """What became of refused events: taken in now, refused again, and not kept as events."""

    taken: int
    refused: int
    not_kept: int


def redrive(session: Session, wanted: quarantine.Wanted, user_id: UUID | None, now: datetime) -> Redriven:
    """Take refused events in as a fresh batch, once. What is refused again stays, with its new reason."""
    source = keys.source_of(session, wanted.source_id)
    read = [(row, quarantine.read_again(row, now)) for row in quarantine.lock_open(session, wanted)]
    good = [(row, event) for row, event in read if isinstance(event, EventValue)]
    for row, event in read:
        if not isinstance(event, EventValue):
            quarantine.refuse_again(row, event, user_id, now)
    broken = _take_in_again(session, source, [event for _, event in good], now)
    for row, event in good:
        if error := broken.get(event.message_id):
            quarantine.refuse_again(row, poison(0, None, error), user_id, now)
        else:
            quarantine.settle(row, QuarantineState.REDRIVEN, user_id, now)
    taken, not_kept = len(good) - len(broken), sum(event is None for _, event in read)
    if read:
        told: dict[str, object] = {"code": wanted.code, "taken": taken, "of": len(read)}
        _record_source(session, "quarantine.redriven", source, user_id, now, **told)
    return Redriven(taken, len(read) - taken - not_kept, not_kept)


def _take_in_again(
    session: Session, source: EventSource, events: list[EventValue], now: datetime
) -> dict[str, Exception]:
    """Take events in as one batch; while one breaks it, its halves. Return what broke, by message id."""
    if not events:
        return {}
    try:
        with session.begin_nested():
            take_events(session, source, EventBatch(tuple(events), ()), now)
    except CallCenterError:
        raise
    except Exception as error:
        if speaks_of_the_database(error):
            raise
        if len(events) == 1:
            return {events[0].message_id: error}
        half = len(events) // 2
        first = _take_in_again(session, source, events[:half], now)
        return first | _take_in_again(session, source, events[half:], now)
    return {}


def dismiss_refused(session: Session, wanted: quarantine.Wanted, user_id: UUID | None, now: datetime) -> int:
    """Say that nobody will mend these refused events; return how many were still open."""
    source = keys.source_of(session, wanted.source_id)
    rows = quarantine.lock_open(session, wanted)
    for row in rows:
        quarantine.settle(row, QuarantineState.DISMISSED, user_id, now)
    if rows:
        told: dict[str, object] = {"code": wanted.code, "dismissed": len(rows)}
        _record_source(session, "quarantine.dismissed", source, user_id, now, **told)
    return len(rows)
