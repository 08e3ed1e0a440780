"""Live pages: a ring says that something changed, to those it concerns, and a lost one costs nothing."""

import threading
from collections.abc import Iterator
from pathlib import Path

from flask.testing import FlaskClient

from callcenter import outbox
from callcenter.domain.enums import Role
from callcenter.runtime import LIVE_PREFIX, Runtime
from callcenter.web.hub import LIST, hub_of
from tests.factories import Bank
from tests.simulator.sim import wait_for
from tests.web.conftest import SignIn, app_on, settings_for, signed_in

START = "retry: 2000\n\nevent: changed\ndata: start\n\n"
NOW = "event: changed\ndata: now\n\n"


def _stream(client: FlaskClient, path: str) -> tuple[object, Iterator[str]]:
    answer = client.get(path, buffered=False)
    assert answer.status_code == 200 and answer.mimetype == "text/event-stream"
    assert answer.headers["X-Accel-Buffering"] == "no" and answer.headers["Cache-Control"] == "no-store"
    return answer, (chunk.decode() if isinstance(chunk, bytes) else chunk for chunk in answer.response)


def _listens(runtime: Runtime, channel: str) -> bool:
    heard_as = LIST if channel == outbox.FLOOR else channel  # consoles hear the floor by the second
    heard = hub_of(runtime).listens()
    return heard.get(channel, 0) + heard.get(heard_as, 0) > 0


def _next_ring(runtime: Runtime, chunks: Iterator[str], *channels: str) -> str:
    """Ring after the stream has subscribed, from another thread, and return what the page gets."""

    def ring() -> None:
        wait_for(lambda: _listens(runtime, channels[0]))
        for channel in channels:
            runtime.tell(channel)

    bell = threading.Thread(target=ring)
    bell.start()
    found = next(chunk for chunk in chunks if not chunk.startswith(":"))
    bell.join(5)
    return found


def test_a_console_hears_of_its_own_changes_many_at_once_as_one(
    desk: FlaskClient, bank: Bank, runtime: Runtime
) -> None:
    answer, chunks = _stream(desk, "/live/console")
    assert next(chunks) == START
    own = outbox.agent_channel(bank.agent_id)
    assert _next_ring(runtime, chunks, own, own, own) == NOW
    with runtime.unit_of_work() as session:
        outbox.ring(session, own)
    assert next(chunks) == NOW
    answer.close()  # type: ignore[attr-defined]
    wait_for(lambda: not _listens(runtime, own))


def test_the_floor_and_the_studio_have_their_own_rings(sign_in: SignIn, runtime: Runtime) -> None:
    for role, path, channel in (
        (Role.SUPERVISOR, "/live/floor", outbox.FLOOR),
        (Role.STRATEGIST, "/live/studio", outbox.STUDIO),
    ):
        answer, chunks = _stream(sign_in(role), path)
        assert next(chunks) == START
        assert _next_ring(runtime, chunks, channel) == NOW
        answer.close()  # type: ignore[attr-defined]


def test_work_that_was_rolled_back_rings_nobody(desk: FlaskClient, bank: Bank, runtime: Runtime) -> None:
    own = outbox.agent_channel(bank.agent_id)
    with runtime.redis.pubsub(ignore_subscribe_messages=True) as listener:
        listener.subscribe(LIVE_PREFIX + own)
        listener.get_message(timeout=1)
        try:
            with runtime.unit_of_work() as session:
                outbox.ring(session, own)
                raise RuntimeError
        except RuntimeError:
            pass
        assert listener.get_message(timeout=0.1) is None
        with runtime.unit_of_work() as session:
            outbox.ring(session, own)
        assert wait_for(lambda: listener.get_message(timeout=0.5))["data"] == b"changed"


def test_without_the_doorbell_a_stream_ends_after_its_first_word_and_pages_still_work(
    bank: Bank, runtime: Runtime, tmp_path: Path
) -> None:
    deaf = Runtime(settings_for(tmp_path, runtime.database_url, "redis://127.0.0.1:1"), bank.clock)
    client = signed_in(app_on(deaf).test_client(), bank.agent_id)
    _, chunks = _stream(client, "/live/console")
    assert [chunk for chunk in chunks if not chunk.startswith(":")] == [START]
    assert client.post("/console/presence", data={"presence": "available"}).status_code == 200
    assert client.get("/console").status_code == 200
    deaf.engine.dispose()


def test_a_stranger_gets_no_stream_and_is_not_redirected(client: FlaskClient) -> None:
    assert client.get("/live/console").status_code == 401
