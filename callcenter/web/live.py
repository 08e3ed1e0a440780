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
from callcenter.web.edge import blueprint, roles_required, runtime, viewer

bp = blueprint("live")
_HEARTBEAT_SECONDS = 15.0
_LONGEST_SECONDS = 900.0
_SETTLE_SECONDS = 0.05
"""Several changes within so short a time reach the page as one."""


@bp.get("/live/console")
@roles_required(Role.AGENT)
def console() -> Response:
    """Ring when something of this agent changes; while it listens, the console counts as looked at."""
    agent_id, rt = viewer().id, runtime()

    def beat() -> None:
        with rt.unit_of_work() as session:
            pipeline.see_console(session, agent_id, rt.clock())

    return _stream(outbox.agent_channel(agent_id), beat)


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


def _stream(channel: str, beat: Callable[[], None] = lambda: None) -> Response:
    response = Response(_rings(runtime(), channel, beat), mimetype="text/event-stream")
    response.headers["X-Accel-Buffering"] = "no"
    return response


def _rings(rt: Runtime, channel: str, beat: Callable[[], None]) -> Iterator[str]:
    """Yield one event per change, a comment as a heartbeat, and end after a while so that nothing leaks."""
    yield "retry: 2000\n\nevent: changed\ndata: start\n\n"
    listener = rt.redis.pubsub(ignore_subscribe_messages=True)  # type: ignore[no-untyped-call]
    ends_at = time.monotonic() + _LONGEST_SECONDS
    try:
        listener.subscribe(LIVE_PREFIX + channel)
        while time.monotonic() < ends_at:
            message = listener.get_message(timeout=_HEARTBEAT_SECONDS)
            if message is None:
                yield ": alive\n\n"
                beat()
                continue
            time.sleep(_SETTLE_SECONDS)
            while listener.get_message(timeout=0) is not None:
                pass
            yield "event: changed\ndata: now\n\n"
    except RedisError:
        return
    finally:
        listener.close()
