"""Promises about what a carrier may be able to do besides: recording, detection, softphones."""

from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest

from callcenter.domain.enums import AnsweredBy
from callcenter.domain.ports import (
    AmdPolicy,
    Capability,
    JoinRoom,
    MachineHeard,
    RecordingEvent,
    RecordingState,
    RecordPolicy,
    RoomAnswer,
    RoomRole,
)
from callcenter.errors import ConfigError
from tests.contract.conformance.bench import Bench, FarEnd, Leg, needs, told
from tests.contract.conformance.scenes import Conversation, asked, conversation, placed


def _recordings(bench: Bench, talk: Conversation) -> list[RecordingEvent]:
    return told(bench, Leg.ATTEMPT, talk.attempt, RecordingEvent)


def a_wished_recording_runs_pauses_and_is_fetched(bench: Bench) -> None:
    """One recording of one customer's call, silent while somebody reads out a card number."""
    needs(bench, Capability.RECORDING)
    talk = conversation(bench, record=RecordPolicy.ON)
    bench.wait_for(lambda: bench.carrier.pause_recording(talk.ref, True) is RoomAnswer.DONE)
    assert bench.carrier.pause_recording(talk.ref, False) is RoomAnswer.DONE
    assert bench.carrier.pause_recording(talk.agent_ref, True) is RoomAnswer.GONE, "only the customer's call"
    assert bench.carrier.hang_up(talk.ref)
    bench.wait_for(lambda: [e for e in _recordings(bench, talk) if e.state is RecordingState.READY])
    news = _recordings(bench, talk)
    assert len({event.ref for event in news}) == 1
    assert {event.call_ref for event in news} <= {talk.ref, None}
    assert bench.carrier.pause_recording(talk.ref, True) is RoomAnswer.GONE
    sound = bench.carrier.recording(news[0].ref)
    assert sound is not None and sound[:4] == b"RIFF" and sound[8:12] == b"WAVE"


def nothing_is_recorded_that_was_not_wished(bench: Bench) -> None:
    """No recording is told of, and there is none to pause or to fetch."""
    talk = conversation(bench)
    assert bench.carrier.pause_recording(talk.ref, True) is RoomAnswer.GONE
    bench.carrier.hang_up(talk.ref)
    bench.lets_pass()
    assert _recordings(bench, talk) == []
    for ref in ("", "nothing", "../secrets", bench.unheard_of()):
        assert bench.carrier.recording(ref) is None


def a_machine_is_told_from_a_person_when_somebody_listens(bench: Bench) -> None:
    """Detection runs while the two already talk; nobody waits for it."""
    needs(bench, Capability.AMD_ASYNC)
    for far_end, who in ((FarEnd.MACHINE, AnsweredBy.MACHINE), (FarEnd.ANSWERS, AnsweredBy.HUMAN)):
        agent, attempt = uuid4(), uuid4()
        bench.answers(Leg.ATTEMPT, attempt, JoinRoom(f"agent-{agent.hex}", agent, RoomRole.CUSTOMER))
        ref = placed(asked(bench, bench.number(far_end), attempt, AmdPolicy.LISTEN))
        bench.wait_for(lambda of=attempt: told(bench, Leg.ATTEMPT, of, MachineHeard))  # type: ignore[misc]
        heard = told(bench, Leg.ATTEMPT, attempt, MachineHeard)
        assert {(each.ref, each.answered_by) for each in heard} == {(ref, who)}
        bench.carrier.hang_up(ref)


def nobody_listens_unless_wished(bench: Bench) -> None:
    """Detection costs money and patience: off means off."""
    talk = conversation(bench)
    bench.lets_pass()
    assert told(bench, Leg.ATTEMPT, talk.attempt, MachineHeard) == []


def a_softphone_s_token_is_one_agent_s_and_ends(bench: Bench) -> None:
    """Or the carrier says that it has none, and why."""
    now, ttl = datetime.now(UTC).replace(microsecond=0), timedelta(hours=1)
    first, second = uuid4(), uuid4()
    if Capability.SOFTPHONE not in bench.carrier.capabilities():
        with pytest.raises(ConfigError):
            bench.carrier.softphone_credentials(first, ttl, now)
        return
    mine, again, other = (
        bench.carrier.softphone_credentials(agent, ttl, now) for agent in (first, first, second)
    )
    assert mine.token and other.token and mine.token != other.token
    assert mine.identity == again.identity != other.identity
    assert now < mine.expires_at <= now + ttl


PROMISES = (
    a_wished_recording_runs_pauses_and_is_fetched,
    nothing_is_recorded_that_was_not_wished,
    a_machine_is_told_from_a_person_when_somebody_listens,
    nobody_listens_unless_wished,
    a_softphone_s_token_is_one_agent_s_and_ends,
)
