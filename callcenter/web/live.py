"""Server-sent events: a ring says that something changed; the page then asks for its state.

A lost ring costs a page one polling interval; nothing is carried in the ring itself. Only the floor's state comes
by the stream: many look at the same one, and asking for it would cost more than the state.
"""

import time
from collections.abc import Iterator
from uuid import UUID

from flask import Response, stream_with_context
from redis import RedisError

from callcenter import outbox
from callcenter.domain.enums import Role
from callcenter.models import User
from callcenter.runtime import Runtime
from callcenter.web.beats import keep_seen
from callcenter.web.edge import blueprint, roles_required, runtime, viewer
from callcenter.web.floor_state import floor_event
from callcenter.web.hub import hub_of, list_channel, until_slot

bp = blueprint("live")
_HEARTBEAT_SECONDS = 15.0
_LONGEST_SECONDS = 900.0
_MAY_LOOK_SECONDS = 2.0
"""How long somebody whose right to look was taken away may still be sent a state."""
_SETTLE_SECONDS = 0.05
"""Several changes within so short a time reach the page as one."""
_GATHER_SECONDS = 0.2
"""A floor that changes all the time is told at most so often; a single change reaches it at once."""
START = "retry: 2000\n\nevent: changed\ndata: start\n\n"
CHANGED = "event: changed\ndata: now\n\n"
ALIVE = ": alive\n\n"


@bp.get("/live/console")
@roles_required(Role.AGENT)
def console() -> Response:
    """Ring when something of this agent changes, or of the list they choose from.

    While it listens, the console counts as looked at.
    """
    agent_id, rt = viewer().id, runtime()

    def rings() -> Iterator[str]:
        with keep_seen(rt, agent_id):
            yield from _console_rings(rt, outbox.agent_channel(agent_id), list_channel(agent_id))

    return _stream(rings())


@bp.get("/live/floor")
@roles_required(Role.SUPERVISOR)
def floor() -> Response:
    """Send the floor when something of it changes: what is the same for many is made once and needs no asking.

    `team` chooses whose seats.
    """
    rt, user_id = runtime(), viewer().id

    def states() -> Iterator[str]:
        yield START
        asked_at = time.monotonic()
        for rung in _gathered_rings(rt, outbox.FLOOR):
            if time.monotonic() - asked_at > _MAY_LOOK_SECONDS:
                asked_at = time.monotonic()
                if not _may_still_look(rt, user_id, Role.SUPERVISOR):
                    return
            yield ALIVE if rung is None else floor_event(rung)

    return _stream(stream_with_context(states()))


def _may_still_look(rt: Runtime, user_id: UUID, role: Role) -> bool:
    """Whether a user who has had the page open for a while may still see it."""
    with rt.reading() as session:
        user = session.get(User, user_id)
    return user is not None and user.is_active and user.role in (role, Role.ADMIN)


@bp.get("/live/studio")
@roles_required(Role.STRATEGIST)
def studio() -> Response:
    """Ring when figures of the studio change."""
    rt = runtime()

    def rings() -> Iterator[str]:
        yield START
        for rung in _gathered_rings(rt, outbox.STUDIO):
            yield ALIVE if rung is None else CHANGED

    return _stream(rings())


def _stream(rings: Iterator[str]) -> Response:
    response = Response(rings, mimetype="text/event-stream")
    response.headers["X-Accel-Buffering"] = "no"
    return response


def _gathered_rings(rt: Runtime, channel: str) -> Iterator[int | None]:
    """Yield per change how often the channel had rung, in slots when changes come quicker; None as a heartbeat.
    Ends after a while so that nothing leaks."""
    ends_at, rung_at = time.monotonic() + _LONGEST_SECONDS, 0.0
    try:
        with hub_of(rt).listening(channel) as listener:
            while (now := time.monotonic()) < ends_at and not listener.is_deaf:
                if not listener.wait(min(_HEARTBEAT_SECONDS, ends_at - now)):
                    yield None
                    continue
                if time.monotonic() - rung_at < _GATHER_SECONDS:
                    time.sleep(until_slot(_GATHER_SECONDS))
                listener.wait(0)  # what has rung meanwhile is told with it
                rung_at = time.monotonic()
                yield listener.rung
    except RedisError:
        return


def _console_rings(rt: Runtime, *channels: str) -> Iterator[str]:
    """Yield one event per change of one's own, or of the list to choose from. Heartbeats and end as above."""
    yield START
    ends_at = time.monotonic() + _LONGEST_SECONDS
    try:
        with hub_of(rt).listening(*channels) as listener:
            while (now := time.monotonic()) < ends_at and not listener.is_deaf:
                if not listener.wait(min(_HEARTBEAT_SECONDS, ends_at - now)):
                    yield ALIVE
                    continue
                time.sleep(_SETTLE_SECONDS)
                listener.wait(0)
                yield CHANGED
    except RedisError:
        return
