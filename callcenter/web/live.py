"""Server-sent events: a ring says that something changed; the page then asks for its state.

A lost ring costs a page one polling interval; nothing is carried in the ring itself. Only the floor's state comes
by the stream: many look at the same one, and asking for it would cost more than the state.
"""

import threading
import time
from collections.abc import Callable, Iterator
from json import dumps
from uuid import UUID

from flask import Response, stream_with_context
from redis import RedisError

from callcenter import outbox
from callcenter.domain.enums import Role
from callcenter.models import User
from callcenter.runtime import Runtime
from callcenter.web.beats import keep_seen
from callcenter.web.console_choices import is_choosing, journeys_to_choose_from
from callcenter.web.edge import blueprint, roles_required, runtime, viewer
from callcenter.web.floor_state import floor_state_now
from callcenter.web.hub import LIST, hub_of, until_slot

bp = blueprint("live")
_HEARTBEAT_SECONDS = 15.0
_LONGEST_SECONDS = 900.0
_MAY_LOOK_SECONDS = 2.0
"""How long somebody whose right to look was taken away may still be sent a state."""
_SETTLE_SECONDS = 0.05
"""Several changes within so short a time reach the page as one."""
_GATHER_SECONDS = 0.2
"""A floor that changes all the time is told at most so often; a single change reaches it at once."""
_REMEMBERED_SECONDS = 0.9
"""How long a process remembers whether anybody chooses at all. Less than what rings are gathered for, so that
the ring that tells of a campaign's new mode is not answered from before it."""
_anybody_chooses: dict[str, tuple[float, bool]] = {}
"""By database: when it was asked, and the answer."""
_asking = threading.Lock()
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

    def chooses() -> bool:
        if not _somebody_chooses(rt):
            return False
        with rt.reading() as session:
            return is_choosing(session, agent_id)

    def rings() -> Iterator[str]:
        with keep_seen(rt, agent_id):
            yield from _console_rings(rt, outbox.agent_channel(agent_id), chooses)

    return _stream(rings())


def _somebody_chooses(rt: Runtime) -> bool:
    """Whether any campaign is dialed manually; asked once for all consoles of this process."""
    # All consoles hear of a change at the same moment: one of them asks, the others wait for its answer.
    with _asking:
        now = time.monotonic()
        asked_at, known = _anybody_chooses.get(rt.database_url, (float("-inf"), False))
        if now - asked_at > _REMEMBERED_SECONDS:
            with rt.reading() as session:
                known = bool(journeys_to_choose_from(session))
            _anybody_chooses[rt.database_url] = (now, known)
        return known


@bp.get("/live/floor")
@roles_required(Role.SUPERVISOR)
def floor() -> Response:
    """Send the floor when something of it changes: what is the same for many is made once and needs no asking.

    `team` chooses whose seats.
    """
    rt, user_id = runtime(), viewer().id

    def states() -> Iterator[str]:
        rings = _gathered_rings(rt, outbox.FLOOR)
        yield next(rings)
        asked_at = time.monotonic()
        for ring in rings:
            if time.monotonic() - asked_at > _MAY_LOOK_SECONDS:
                asked_at = time.monotonic()
                if not _may_still_look(rt, user_id, Role.SUPERVISOR):
                    return
            yield ring if ring != CHANGED else f"event: state\ndata: {dumps(floor_state_now())}\n\n"

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
    return _stream(_gathered_rings(runtime(), outbox.STUDIO))


def _stream(rings: Iterator[str]) -> Response:
    response = Response(rings, mimetype="text/event-stream")
    response.headers["X-Accel-Buffering"] = "no"
    return response


def _gathered_rings(rt: Runtime, channel: str) -> Iterator[str]:
    """Yield one event per change, in slots when changes come quicker, a comment as a heartbeat, and end after a
    while so that nothing leaks."""
    yield START
    ends_at, rung_at = time.monotonic() + _LONGEST_SECONDS, 0.0
    try:
        with hub_of(rt).listening(channel) as listener:
            while (now := time.monotonic()) < ends_at and not listener.is_deaf:
                if not listener.wait(min(_HEARTBEAT_SECONDS, ends_at - now)):
                    yield ALIVE
                    continue
                if time.monotonic() - rung_at < _GATHER_SECONDS:
                    time.sleep(until_slot(_GATHER_SECONDS))
                listener.wait(0)  # what has rung meanwhile is told with it
                rung_at = time.monotonic()
                yield CHANGED
    except RedisError:
        return


def _console_rings(rt: Runtime, own: str, minds_floor: Callable[[], bool]) -> Iterator[str]:
    """Yield one event per change of one's own; the floor's rings, by the second, count too while `minds_floor` says
    so. Heartbeats and end as above."""
    yield START
    ends_at = time.monotonic() + _LONGEST_SECONDS
    try:
        with hub_of(rt).listening(own, LIST) as listener:
            while (now := time.monotonic()) < ends_at and not listener.is_deaf:
                heard = listener.wait(min(_HEARTBEAT_SECONDS, ends_at - now))
                if own in heard:
                    time.sleep(_SETTLE_SECONDS)
                    listener.wait(0)
                    yield CHANGED
                elif not heard:
                    yield ALIVE
                elif minds_floor():
                    yield CHANGED
    except RedisError:
        return
