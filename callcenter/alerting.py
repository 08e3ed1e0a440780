"""Alerts: raised, taken by somebody, told again when they get worse, over; thresholds; links to the wallboard.

Verbs as in the pipeline, and beside it.
"""

from datetime import datetime
from hashlib import sha256
from uuid import UUID

from sqlmodel import Session, col, select

from callcenter import outbox
from callcenter.accounts import service as accounts
from callcenter.conditions import Condition, conditions_now, floor_facts
from callcenter.db import cursor_of
from callcenter.domain.alerts import has_worsened
from callcenter.errors import BadInput, Conflict, NotFound
from callcenter.models import FloorAlert, TeamThreshold, WallboardLink

MOST_NOTE = 200
MOST_NAME = 60
_MOST_SECONDS, _MOST_MINUTES, _MOST_TASKS = 3_600, 600, 10_000

# -- alerts -----------------------------------------------------------------------------------------------


def note_alerts(session: Session, now: datetime, *, waits: bool = False) -> int:
    """Lay what needs a person as of `now` beside the open alerts; return how many began, worsened or ended.

    Any number of processes may ask: one at a time looks, the others leave it to that one, or wait for it.
    """
    if waits:
        cursor_of(session).execute("SELECT pg_advisory_xact_lock(5301)")
    else:
        locked = cursor_of(session).execute("SELECT pg_try_advisory_xact_lock(5301)").fetchone()
        if not locked or not locked[0]:
            return 0
    found = {one.key: one for one in conditions_now(floor_facts(session, now), now)}
    known = {
        row.key: row for row in session.exec(select(FloorAlert).where(col(FloorAlert.cleared_at).is_(None)))
    }
    moved = 0
    for key, condition in found.items():
        row = known.get(key)
        if row is None:
            session.add(_raised(condition, now))
            moved += 1
        else:
            moved += _compare(row, condition, now)
    for key, row in known.items():
        if key not in found:
            row.cleared_at = now
            moved += 1
    if moved:
        outbox.ring(session, outbox.FLOOR)
    session.flush()
    return moved


def _raised(condition: Condition, now: datetime) -> FloorAlert:
    return FloorAlert(
        key=condition.key,
        kind=condition.kind,
        subject=condition.subject,
        tone=condition.tone,
        measure=condition.measure,
        since=condition.since,
        raised_at=now,
    )


def _compare(row: FloorAlert, condition: Condition, now: datetime) -> bool:
    """Write down how bad an alert is now; True when somebody has it and it must be told again."""
    if (row.tone, row.measure) != (condition.tone, condition.measure):
        row.tone, row.measure = condition.tone, condition.measure
    if row.acknowledged_measure is None or row.worsened_at is not None:
        return False
    if not has_worsened(row.acknowledged_measure, row.measure):
        return False
    row.worsened_at = now
    return True


_FORGET = """
DELETE FROM floor_alert a USING (
  SELECT id FROM floor_alert WHERE cleared_at < %(before)s AND raised_at < %(before)s
   ORDER BY raised_at LIMIT %(limit)s) old
 WHERE a.id = old.id
"""


def forget_alerts(session: Session, before: datetime, limit: int) -> int:
    """Remove a portion of the alerts that were over before a moment; return how many."""
    return cursor_of(session).execute(_FORGET, {"before": before, "limit": limit}).rowcount


def acknowledge(session: Session, key: str, user_id: UUID, note: str, now: datetime) -> None:
    """Take an alert: it is quiet until it is over, or gets worse. Raises Conflict when it is over."""
    if _open(session, key) is None:
        note_alerts(session, now, waits=True)
    row = _open(session, key)
    if row is None:
        raise Conflict("This alert is over by now.")
    row.acknowledged_at, row.acknowledged_by, row.acknowledged_measure = now, user_id, row.measure
    row.worsened_at, row.note = None, note.strip()[:MOST_NOTE]
    accounts.record(session, user_id, "alert.acknowledged", key, now, note=row.note, measure=row.measure)
    outbox.ring(session, outbox.FLOOR)


def _open(session: Session, key: str) -> FloorAlert | None:
    statement = select(FloorAlert).where(FloorAlert.key == key).where(col(FloorAlert.cleared_at).is_(None))
    return session.exec(statement.with_for_update()).first()


def set_thresholds(
    session: Session,
    team: str,
    user_id: UUID,
    now: datetime,
    *,
    wrap_up_seconds: int,
    not_ready_minutes: int | None,
    talk_minutes: int | None,
    overdue_tasks: int,
) -> None:
    """Set from when a team's supervisor is told; the team "" stands for the queue and all teams without any."""
    minutes = [one for one in (not_ready_minutes, talk_minutes) if one is not None]
    if not 0 <= wrap_up_seconds <= _MOST_SECONDS or any(not 1 <= one <= _MOST_MINUTES for one in minutes):
        raise BadInput("Wrap-up is at most 3600 s; minutes lie between 1 and 600, or are left empty.")
    if not 1 <= overdue_tasks <= _MOST_TASKS:
        raise BadInput("Call tasks past their promise: a number from 1 to 10000.")
    row = session.get(TeamThreshold, team, with_for_update=True) or TeamThreshold(team=team, changed_at=now)
    row.wrap_up_seconds, row.not_ready_minutes = wrap_up_seconds, not_ready_minutes
    row.talk_minutes, row.overdue_tasks = talk_minutes, overdue_tasks
    row.changed_at, row.changed_by = now, user_id
    session.add(row)
    told = {
        "wrap_up_seconds": wrap_up_seconds,
        "not_ready_minutes": not_ready_minutes,
        "talk_minutes": talk_minutes,
        "overdue_tasks": overdue_tasks,
    }
    accounts.record(session, user_id, "alert.thresholds", team or "all teams", now, **told)
    outbox.ring(session, outbox.FLOOR)


# -- links to the wallboard -------------------------------------------------------------------------------


def hash_link(token: str) -> str:
    """Return what is stored of a link's token: it holds 256 bits of chance, so a plain hash is enough."""
    return sha256(token.encode()).hexdigest()


def make_link(
    session: Session,
    name: str,
    token: str,
    user_id: UUID,
    now: datetime,
    *,
    language: str,
    theme: str,
    time_zone: str,
    expires_at: datetime,
) -> WallboardLink:
    """Make a link that shows the wallboard, and nothing else, to whoever has it."""
    name = " ".join(name.split())
    if not name or len(name) > MOST_NAME or not name.isprintable():
        raise BadInput("Give the link a name, such as the television's place.")
    if language not in ("en", "zh") or theme not in ("auto", "light", "dark") or expires_at <= now:
        raise BadInput("Choose one of the languages, looks and spans shown.")
    row = WallboardLink(
        name=name,
        token_hash=hash_link(token),
        hint=token[-4:],
        language=language,
        theme=theme,
        time_zone=time_zone,
        created_at=now,
        created_by=user_id,
        expires_at=expires_at,
    )
    session.add(row)
    accounts.record(
        session, user_id, "wallboard.linked", name, now, hint=row.hint, until=expires_at.isoformat()
    )
    session.flush()
    return row


def revoke_link(session: Session, link_id: int, user_id: UUID, now: datetime) -> None:
    """End a link at once and for good; twice changes nothing. Raises NotFound."""
    row = session.get(WallboardLink, link_id, with_for_update=True)
    if row is None:
        raise NotFound("There is no such link.")
    if row.revoked_at is None:
        row.revoked_at, row.revoked_by = now, user_id
        accounts.record(session, user_id, "wallboard.revoked", row.name, now, hint=row.hint)
