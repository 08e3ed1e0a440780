"""Plays a world on the live path: batches come in, the scheduler ticks, processes start anew."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from itertools import count

from sqlalchemy import Connection
from sqlmodel import Session, col, select

from callcenter import pipeline
from callcenter.domain.ids import derived_id
from callcenter.intake import service as intake
from callcenter.intake.rules import read_batch
from callcenter.journeys import service as journeys
from callcenter.models import Customer, EventSource, TriggerFiring
from callcenter.triggers import service as triggers
from tests.semantics.oracle import Event, Fired, Moment
from tests.semantics.worlds import Story, World

START = datetime(2026, 11, 18, 4, 0, tzinfo=UTC)
_set_ups = count(1)


def at(second: int) -> datetime:
    """So many seconds after the start of the world."""
    return START + timedelta(seconds=second)


class Player:
    """Plays moments on the live path, in a new session after each restart."""

    def __init__(self, connection: Connection, world: World) -> None:
        self.connection, self.world = connection, world
        self.session = self._new_session()
        # Journeys and rules are compiled once per moment of loading, so each world has a moment of its own.
        now = START - timedelta(microseconds=next(_set_ups))
        journey = journeys.load_journey(self.session, world.journey, [], now)
        for rule in world.rules:
            triggers.adopt_rule(self.session, rule, journey, now)
        self.source_id = intake.add_source(self.session, "app", "key", world.lateness, now).id
        self.session.commit()

    def _new_session(self) -> Session:
        return Session(self.connection, join_transaction_mode="create_savepoint")

    def restart(self) -> None:
        """What one process knew is gone; the rows are not."""
        self.session.close()
        self.session = self._new_session()

    def play(self, moment: Moment) -> None:
        """Let requests come in and be stored at once, or the scheduler tick, and commit."""
        now = at(moment.at)
        if moment.events:
            begin, batches = 0, []
            for size in moment.requests or (len(moment.events),):
                batch = read_batch([raw_event(one) for one in moment.events[begin : begin + size]], {}, now)
                assert not batch.rejections
                batches.append(batch)
                begin += size
            source = self.session.get_one(EventSource, self.source_id)
            taken = pipeline.take_batches(self.session, source, batches, now)
            assert [one.accepted + one.duplicate for one in taken] == [len(one.events) for one in batches]
        else:
            pipeline.fire_due_visits(self.session, now)
        self.session.commit()

    def story(self) -> Story:
        """The firings stored, as the oracle tells them."""
        devices = {event.device for event in self.world.events}
        nobody = {derived_id("device", self.source_id, one): f"device {one}" for one in devices}
        rows = self.session.exec(
            select(TriggerFiring, Customer).join(Customer, col(Customer.id) == TriggerFiring.customer_id)
        )
        story: Story = {}
        once: set[tuple[str, object]] = set()
        for firing, customer in rows:
            assert (firing.rule_key, firing.visit_id) not in once, "a rule fired twice for one visit"
            once.add((firing.rule_key, firing.visit_id))
            anchor, due = ((one - START) // timedelta(seconds=1) for one in (firing.anchor_at, firing.due_at))
            fired = Fired(firing.rule_key, firing.visit_seq, anchor, due)
            who = customer.external_id or nobody[customer.id]
            story.setdefault((who, firing.journey_key), []).append(fired)
        return {course: sorted(found) for course, found in story.items()}


def raw_event(event: Event) -> dict[str, object]:
    """An event as an SDK sends it."""
    names = {"userId": event.who, "anonymousId": event.device}
    if event.name == "alias":
        names = {"userId": event.who, "previousId": event.device}
    amount = {} if event.amount is None else {"amount": event.amount}
    return {
        "type": event.name if event.name in ("identify", "alias") else "track",
        "event": event.name,
        **{name: said for name, said in names.items() if said},
        "messageId": event.message_id,
        "timestamp": at(event.happened).isoformat(),
        "properties": {"application": event.journey_key, **amount},
    }


@contextmanager
def played(
    connection: Connection,
    world: World,
    restarts: frozenset[int] = frozenset(),
) -> Iterator[Player]:
    """Play a world, with restarts before these of its moments; afterwards nothing of it is left."""
    savepoint = connection.begin_nested()
    player = Player(connection, world)
    try:
        for number, moment in enumerate(world.history):
            if number in restarts:
                player.restart()
            player.play(moment)
        yield player
    finally:
        player.session.close()
        savepoint.rollback()
