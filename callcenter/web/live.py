"""Server-sent events: a ring says that something changed; the page then asks for its state.

A lost ring costs a page one polling interval; nothing is carried in the ring itself. Only the floor's state comes
by the stream: many look at the same one, and asking for it would cost more than the state.
"""

import time
from collections.abc import Callable, Iterator
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
_LIFE_SECONDS = range(600, 1200)
"""A stream ends after a while so that nothing leaks, each viewer's after another: consoles opened together at the
start of a shift do not all come back together."""
_MAY_LOOK_SECONDS = 2.0
"""How long somebody whose right to look was taken away may still be sent a state."""
_SETTLE_SECONDS = 0.05
"""Several changes within so short a time reach the page as one."""
_GATHER_SECONDS = 0.2
"""A floor that changes all the time is told at most so often; a single change reaches it at once."""
START = "retry: 2000\n\nevent: changed\ndata: start\n\n"
"""The first word: the page reads its state, and comes back two seconds after a stream that broke."""
CHANGED = "event: changed\ndata: now\n\n"
ALIVE = ": alive\n\n"
ENDS = "retry: 100\n\n"
"""The last word of a stream that has lived long enough: the page comes back at once."""


@bp.get("/live/console")
@roles_required(Role.AGENT)
def console() -> Response:
    """Ring when something of this agent changes, or of the list they choose from.

    While it listens, the console counts as looked at.
    """
    agent_id, rt = viewer().id, runtime()

    def rings() -> Iterator[str]:
        with keep_seen(rt, agent_id):
            channels = outbox.agent_channel(agent_id), list_channel(agent_id)
            yield from _told(rt, agent_id, _settle, _changed, *channels)

    return _stream(rings())


@bp.get("/live/floor")
@roles_required(Role.SUPERVISOR)
def floor() -> Response:
    """Send the floor when something of it changes: what is the same for many is made once and needs no asking.

    `team` chooses whose seats.
    """
    rt, user_id, asked_at = runtime(), viewer().id, time.monotonic()

    def state(rung: int) -> str | None:
        nonlocal asked_at
        if time.monotonic() - asked_at > _MAY_LOOK_SECONDS:
            asked_at = time.monotonic()
            if not _may_still_look(rt, user_id, Role.SUPERVISOR):
                return None
        return floor_event(rung)

    return _stream(stream_with_context(_told(rt, user_id, _gather, state, outbox.FLOOR)))


def _may_still_look(rt: Runtime, user_id: UUID, role: Role) -> bool:
    """Whether a user who has had the page open for a while may still see it."""
    with rt.reading() as session:
        user = session.get(User, user_id)
    return user is not None and user.is_active and user.role in (role, Role.ADMIN)


@bp.get("/live/studio")
@roles_required(Role.STRATEGIST)
def studio() -> Response:
    """Ring when figures of the studio change."""
    return _stream(_told(runtime(), viewer().id, _gather, _changed, outbox.STUDIO))


def _stream(rings: Iterator[str]) -> Response:
    response = Response(rings, mimetype="text/event-stream")
    response.headers["X-Accel-Buffering"] = "no"
    return response


def _told(
    rt: Runtime,
    viewer_id: UUID,
    wait_for_more: Callable[[float], None],
    say: Callable[[int], str | None],
    *channels: str,
) -> Iterator[str]:
    """Yield the first word, then what there is to say of each ring, heartbeats between, and the last word.

    `wait_for_more` gets the seconds since the last ring and lets those that follow come in: they are told as one.
    `say` gets how often the channel had rung, and ends the stream with None.
    """
    try:
        with hub_of(rt).listening(*channels) as listener:
            yield START  # the page reads its state after this: no change falls between that and the first ring
            ends_at, rung_at = time.monotonic() + _life_of(viewer_id), 0.0
            while (now := time.monotonic()) < ends_at and not listener.is_deaf:
                if not listener.wait(min(_HEARTBEAT_SECONDS, ends_at - now)):
                    yield ALIVE
                    continue
                wait_for_more(time.monotonic() - rung_at)
                listener.wait(0)
                rung_at = time.monotonic()
                said = say(listener.rung)
                if said is None:
                    return
                yield said
            if not listener.is_deaf:
                yield ENDS
    except RedisError:
        yield START  # nobody rings: the page asks by itself, now and every few seconds


def _life_of(viewer_id: UUID) -> float:
    return _LIFE_SECONDS[viewer_id.int % len(_LIFE_SECONDS)]


def _settle(_: float) -> None:
    time.sleep(_SETTLE_SECONDS)


def _gather(since_last: float) -> None:
    """Wait for the next slot where changes come quicker than there are slots."""
    if since_last < _GATHER_SECONDS:
        time.sleep(until_slot(_GATHER_SECONDS))


def _changed(_: int) -> str:
    return CHANGED
