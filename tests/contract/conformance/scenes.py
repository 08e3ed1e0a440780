"""Scenes several promises share: a call asked for, a conversation in a room."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

from callcenter.domain.ports import (
    AmdPolicy,
    CallWish,
    JoinRoom,
    Placed,
    Placement,
    RecordPolicy,
    RoomChange,
    RoomEvent,
    RoomRole,
)
from tests.contract.conformance.bench import Bench, FarEnd, Leg, room_news

RING, LONGEST = timedelta(seconds=25), timedelta(hours=2)


def asked(
    bench: Bench,
    number: str,
    attempt: UUID | None = None,
    amd: AmdPolicy = AmdPolicy.OFF,
    record: RecordPolicy = RecordPolicy.OFF,
) -> Placement:
    """Ask once for a call."""
    return bench.carrier.place(CallWish(attempt or uuid4(), number, RING, LONGEST, amd, record))


def placed(placement: Placement) -> str:
    """Return the carrier's name for a call that it must have taken."""
    assert isinstance(placement, Placed), f"the call was not taken: {placement}"
    assert placement.ref and placement.queue_delay >= timedelta(0)
    return placement.ref


def a_while_ago() -> datetime:
    """Return a moment before everything the promise does."""
    return datetime.now(UTC) - timedelta(seconds=1)


@dataclass
class Conversation:
    """An agent and a customer in one room."""

    bench: Bench
    agent: UUID = field(default_factory=uuid4)
    attempt: UUID = field(default_factory=uuid4)
    agent_ref: str = ""
    ref: str = ""

    @property
    def room(self) -> str:
        """Our name for the room."""
        return f"agent-{self.agent.hex}"

    def news(self) -> list[RoomEvent]:
        """What happened in the room so far."""
        return room_news(self.bench, self.agent)

    def of(self, ref: str) -> list[RoomEvent]:
        """What happened to one leg."""
        return [event for event in self.news() if event.ref == ref]

    def hears_of(self, what: Callable[[RoomEvent], bool]) -> RoomEvent:
        """Wait until the carrier has told of something in the room."""
        return self.bench.wait_for(lambda: next((event for event in self.news() if what(event)), None))  # type: ignore[return-value]

    def joined(self, ref: str) -> str:
        """Wait until a leg is in the room."""
        self.hears_of(lambda event: event.ref == ref and event.change is RoomChange.JOINED)
        return ref


def conversation(
    bench: Bench, amd: AmdPolicy = AmdPolicy.OFF, record: RecordPolicy = RecordPolicy.OFF
) -> Conversation:
    """Bring an agent and a customer together, by the port alone."""
    talk = Conversation(bench)
    bench.answers(Leg.AGENT, talk.agent, JoinRoom(talk.room, talk.agent, RoomRole.AGENT))
    bench.answers(Leg.ATTEMPT, talk.attempt, JoinRoom(talk.room, talk.agent, RoomRole.CUSTOMER))
    agent_leg = bench.carrier.place_agent(talk.agent, bench.agent_address(talk.agent))
    talk.agent_ref = talk.joined(placed(agent_leg))
    talk.ref = talk.joined(placed(asked(bench, bench.number(FarEnd.ANSWERS), talk.attempt, amd, record)))
    return talk
