"""Live pages: a ring says that something changed, to those it concerns, and a lost one costs nothing."""

import json
import re
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from flask.testing import FlaskClient

from callcenter import outbox
from callcenter.domain.enums import Role
from callcenter.models import User
from callcenter.runtime import LIVE_PREFIX, Runtime
from callcenter.web import live
from callcenter.web.hub import hub_of
from tests.factories import Bank
from tests.simulator.sim import wait_for
from tests.web.conftest import People, SignIn, app_on, settings_for, signed_in

START = "retry: 2000\n\nevent: changed\ndata: start\n\n"
NOW = "event: changed\ndata: now\n\n"


def _stream(client: FlaskClient, path: str) -> tuple[object, Iterator[str]]:
    answer = client.get(path, buffered=False)
    assert answer.status_code == 200 and answer.mimetype == "text/event-stream"
    assert answer.headers["X-Accel-Buffering"] == "no" and answer.headers["Cache-Control"] == "no-store"
    return answer, (chunk.decode() if isinstance(chunk, bytes) else chunk for chunk in answer.response)


def _listens(runtime: Runtime, channel: str) -> bool:
    heard = hub_of(runtime).listens()
    # Consoles hear the floor by the second, where their agent chooses whom to call.
    return channel in heard or (channel == outbox.FLOOR and any(one.startswith("list-") for one in heard))


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


def test_the_studio_has_its_own_rings(sign_in: SignIn, runtime: Runtime) -> None:
    answer, chunks = _stream(sign_in(Role.STRATEGIST), "/live/studio")
    assert next(chunks) == START
    assert _next_ring(runtime, chunks, outbox.STUDIO) == NOW
    answer.close()  # type: ignore[attr-defined]


def _state_in(chunk: str) -> str:
    event, data, *_ = chunk.split("\n")
    assert event == "event: state"
    return str(json.loads(data.removeprefix("data: ")))


def test_the_floor_comes_by_the_stream_as_it_is_after_the_change(
    sign_in: SignIn, bank: Bank, runtime: Runtime
) -> None:
    browser = sign_in(Role.SUPERVISOR)
    page = browser.get("/floor").text
    answer, chunks = _stream(browser, "/live/floor")
    assert next(chunks) == START
    bank.agent_is_available()
    bank.session.commit()
    state = _state_in(_next_ring(runtime, chunks, outbox.FLOOR))
    assert f'id="seat-{bank.agent_id}"' in state and "seat-idle" in state and "seat-idle" not in page
    own = re.compile(r'(?:csrf_token" value|csrf-token" content)="([^".]+)')
    assert set(own.findall(state)) == set(own.findall(page)), "its forms carry the viewer's own token"
    answer.close()  # type: ignore[attr-defined]


def test_who_may_no_longer_look_is_sent_nothing_more(
    sign_in: SignIn, bank: Bank, people: People, runtime: Runtime
) -> None:
    answer, chunks = _stream(sign_in(Role.SUPERVISOR), "/live/floor")
    assert next(chunks) == START
    assert _state_in(_next_ring(runtime, chunks, outbox.FLOOR))
    bank.session.get_one(User, people.ids[Role.SUPERVISOR]).is_active = False
    bank.session.commit()
    time.sleep(2.1)
    runtime.tell(outbox.FLOOR)
    assert [chunk for chunk in chunks if not chunk.startswith(":")] == []
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
        assert wait_for(lambda: listener.get_message(timeout=0.5))["data"].isdigit()


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


def test_a_stream_that_has_lived_long_enough_sends_the_page_back_at_once(
    desk: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live, "_LIFE_SECONDS", [0.05, 0.1])
    for _ in range(2):
        _, chunks = _stream(desk, "/live/console")
        assert [chunk for chunk in chunks if not chunk.startswith(":")] == [START, "retry: 100\n\n"]


def test_a_page_is_listened_for_before_it_reads_its_state(
    desk: FlaskClient, bank: Bank, runtime: Runtime
) -> None:
    answer, chunks = _stream(desk, "/live/console")
    assert next(chunks) == START
    assert outbox.agent_channel(bank.agent_id) in hub_of(runtime).listens()
    answer.close()  # type: ignore[attr-defined]


def test_a_stranger_gets_no_stream_and_is_not_redirected(client: FlaskClient) -> None:
    assert client.get("/live/console").status_code == 401
