"""Supervisors who listen in, whisper or barge: asked for here, true when the carrier says so."""

from datetime import datetime
from uuid import UUID

from sqlmodel import Session, col, select

from callcenter.calls.rules import advances, mode_heard
from callcenter.domain.enums import AttemptState, SupervisorMode
from callcenter.domain.ids import derived_id
from callcenter.domain.ports import RoomChange, RoomEvent
from callcenter.errors import Conflict, Forbidden
from callcenter.models import Watch


def begin(
    session: Session, supervisor_id: UUID, agent_id: UUID, address: str, mode: SupervisorMode, now: datetime
) -> Watch:
    """Ask to take part in an agent's calls. Raises Conflict while the supervisor is with somebody already."""
    if live_watch_of(session, supervisor_id) is not None:
        raise Conflict("You are on another agent's call. Leave that one first.")
    watch = Watch(
        id=derived_id("watch", supervisor_id, now.isoformat()),
        supervisor_id=supervisor_id,
        agent_id=agent_id,
        address=address,
        mode_wanted=mode,
        asked_at=now,
    )
    session.add(watch)
    session.flush()
    return watch


def live_watch_of(session: Session, supervisor_id: UUID) -> Watch | None:
    """Return the watch a supervisor is on, locked; None when there is none."""
    return session.exec(
        select(Watch)
        .where(Watch.supervisor_id == supervisor_id)
        .where(col(Watch.ended_at).is_(None))
        .with_for_update()
        .execution_options(populate_existing=True)
    ).first()


def lock_watch(session: Session, watch_id: UUID) -> Watch | None:
    """Return a watch as the database has it now, locked until the commit."""
    return session.exec(
        select(Watch).where(Watch.id == watch_id).with_for_update().execution_options(populate_existing=True)
    ).first()


def own_watch(session: Session, watch_id: UUID, supervisor_id: UUID) -> Watch:
    """Lock a supervisor's own watch. Raises Forbidden for anybody else's, Conflict when it is over."""
    watch = lock_watch(session, watch_id)
    if watch is None or watch.supervisor_id != supervisor_id:
        raise Forbidden("This is another supervisor's line.")
    if watch.ended_at is not None:
        raise Conflict("You have left this call already.")
    return watch


def begin_placing(watch: Watch, now: datetime) -> bool:
    """Take the one permission to call the supervisor; a watch given up before it was placed ends here."""
    if watch.state != AttemptState.CLAIMED or watch.ended_at is not None:
        return False
    if watch.end_asked_at is not None:
        watch.state, watch.ended_at = AttemptState.ENDED, now
        return False
    watch.state = AttemptState.PLACING
    return True


def note(watch: Watch, ref: str | None, state: AttemptState, now: datetime) -> None:
    """Move a watch forward by what the carrier said; an end is final."""
    if ref is not None:
        if watch.carrier_ref not in (None, ref):
            return
        watch.carrier_ref = ref
    if advances(AttemptState(watch.state), state):
        watch.state = state
    if watch.state == AttemptState.ENDED and watch.ended_at is None:
        watch.ended_at, watch.mode = now, None


def watch_of_ref(session: Session, agent_id: UUID, ref: str | None) -> Watch | None:
    """Return the watch whose leg this is, locked; None when it is somebody else's leg."""
    if ref is None:
        return None
    return session.exec(
        select(Watch).where(Watch.agent_id == agent_id).where(Watch.carrier_ref == ref).with_for_update()
    ).first()


def note_in_room(watch: Watch, event: RoomEvent, now: datetime) -> None:
    """Take in what the carrier says of a supervisor's leg: how they take part follows from that alone."""
    if event.change is RoomChange.JOINED:
        watch.joined_at = watch.joined_at or now
    if event.change is RoomChange.LEFT:
        watch.mode = None
    elif event.muted is not None and watch.ended_at is None:
        watch.mode = mode_heard(muted=event.muted, coaching=bool(event.coaching))
