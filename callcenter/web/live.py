"""Server-sent events: a ring says that something changed; the page then asks for its state.

A lost ring costs a page one polling interval; nothing is carried in the ring itself.
"""

import time
from collections.abc import Callable, Iterator

from flask import Response
from redis import RedisError

from callcenter import outbox, pipeline
from callcenter.domain.enums import Role
from callcenter.runtime import LIVE_PREFIX, Runtime
from callcenter.web.console_choices import is_choosing, journeys_to_choose_from
from callcenter.web.edge import blueprint, roles_required, runtime, viewer

bp = blueprint("live")
_HEARTBEAT_SECONDS = 15.0
_LONGEST_SECONDS = 900.0
_SETTLE_SECONDS = 0.05
"""Several changes within so short a time reach the page as one."""
_LIST_SETTLE_SECONDS = 1.0
"""The same for the list of an agent who chooses: every change of the floor may be one of it."""
_REMEMBERED_SECONDS = 0.9
"""How long a process remembers whether anybody chooses at all. Less than what rings are gathered for, so that
the ring that tells of a campaign's new mode is not answered from before it."""
_anybody_chooses: dict[str, tuple[float, bool]] = {}
"""By database: when it was asked, and the answer."""


@bp.get("/live/console")
@roles_required(Role.AGENT)
def console() -> Response:
    """Ring when something of this agent changes, or of the list they choose from.

    While it listens, the console counts as looked at.
    """
    agent_id, rt = viewer().id, runtime()

    def beat() -> None:
        with rt.unit_of_work() as session:
            pipeline.see_console(session, agent_id, rt.clock())

    def chooses() -> bool:
        if not _somebody_chooses(rt):
            return False
        with rt.reading() as session:
            return is_choosing(session, agent_id)

    return _stream(outbox.agent_channel(agent_id), beat, chooses)


def _somebody_chooses(rt: Runtime) -> bool:
    """Whether any campaign is dialed manually; asked once for all consoles of this process."""
    now = time.monotonic()
    asked_at, known = _anybody_chooses.get(rt.database_url, (0.0, False))
    if now - asked_at > _REMEMBERED_SECONDS:
        with rt.reading() as session:
            known = bool(journeys_to_choose_from(session))
        _anybody_chooses[rt.database_url] = (now, known)
    return known


@bp.get("/live/floor")
@roles_required(Role.SUPERVISOR)
def floor() -> Response:
    """Ring when something of the floor changes."""
    return _stream(outbox.FLOOR)


@bp.get("/live/studio")
@roles_required(Role.STRATEGIST)
def studio() -> Response:
    """Ring when figures of the studio change."""
    return _stream(outbox.STUDIO)


def _stream(
    channel: str, beat: Callable[[], None] = lambda: None, minds_floor: Callable[[], bool] | None = None
) -> Response:
    response = Response(_rings(runtime(), channel, beat, minds_floor), mimetype="text/event-stream")
    response.headers["X-Accel-Buffering"] = "no"
    return response


def _rings(
    rt: Runtime, channel: str, beat: Callable[[], None], minds_floor: Callable[[], bool] | None
) -> Iterator[str]:
    """Yield one event per change, a comment as a heartbeat, and end after a while so that nothing leaks.

    With `minds_floor` the floor's rings count too while it says so, gathered for a second.
    """
    yield "retry: 2000\n\nevent: changed\ndata: start\n\n"
    listener = rt.redis.pubsub(ignore_subscribe_messages=True)  # type: ignore[no-untyped-call]
    own, floor = LIVE_PREFIX + channel, LIVE_PREFIX + outbox.FLOOR
    now = time.monotonic()
    ends_at, beats_at, floor_at = now + _LONGEST_SECONDS, now + _HEARTBEAT_SECONDS, float("inf")
    try:
        listener.subscribe(own, *([floor] if minds_floor else []))
        while now < ends_at:
            wait = max(0.01, min(beats_at, floor_at) - now)
            message = listener.get_message(timeout=wait)
            now = time.monotonic()
            if message is not None and message["channel"] == own.encode():
                time.sleep(_SETTLE_SECONDS)
                while listener.get_message(timeout=0) is not None:
                    pass
                now = time.monotonic()
                beats_at, floor_at = now + _HEARTBEAT_SECONDS, float("inf")
                yield "event: changed\ndata: now\n\n"
            elif message is not None:
                floor_at = min(floor_at, now + _LIST_SETTLE_SECONDS)
            elif now >= floor_at:
                floor_at = float("inf")
                if minds_floor and minds_floor():
                    beats_at = now + _HEARTBEAT_SECONDS
                    yield "event: changed\ndata: now\n\n"
            elif now >= beats_at:
                beats_at = now + _HEARTBEAT_SECONDS
                yield ": alive\n\n"
                beat()
    except RedisError:
        return
    finally:
        listener.close()
