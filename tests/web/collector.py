"""A collector on a database of its own, and the requests SDKs make of it."""

import gzip
from base64 import b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import Any

import orjson
from flask.testing import FlaskClient
from sqlmodel import Session, col, select
from werkzeug.test import TestResponse

from callcenter.commands.sample import read_sample
from callcenter.intake import service as intake
from callcenter.journeys import service as journeys
from callcenter.models import EventSource, JourneyEvent, QuarantinedEvent
from callcenter.runtime import Runtime
from callcenter.triggers import service as triggers
from callcenter.web.admissions import FRESH
from tests.factories import Clock
from tests.web.conftest import app_on, settings_for

KEY = "key"
_ids = count(1)


def basic(key: str = KEY, after: str = ":") -> dict[str, str]:
    """The header SDKs put the write key into."""
    return {"Authorization": "Basic " + b64encode(f"{key}{after}".encode()).decode()}


def track(user: str = "u", **more: Any) -> dict[str, Any]:
    """A harmless event with an id nobody has used."""
    return {"type": "track", "event": "looked", "userId": user, "messageId": f"c{next(_ids)}", **more}


class Collector:
    """Posts events and looks at what was kept."""

    def __init__(self, runtime: Runtime, clock: Clock) -> None:
        self.runtime, self.clock = runtime, clock
        self.app = app_on(runtime)
        self.client: FlaskClient = self.app.test_client()

    def post(self, path: str, body: Any, headers: dict[str, str] | None = None, **more: Any) -> TestResponse:
        """Send a body, as JSON unless it is bytes already, with the write key in the header."""
        data = body if isinstance(body, bytes) else orjson.dumps(body)
        return self.client.post(path, data=data, headers=basic() if headers is None else headers, **more)

    def batch(self, *events: Any, **more: Any) -> TestResponse:
        """Send events in one batch."""
        return self.post("/v1/batch", {"batch": list(events), **more})

    @contextmanager
    def reading(self) -> Iterator[Session]:
        """A session to look at what is stored."""
        with self.runtime.reading() as session:
            yield session

    def stored(self, *message_ids: str) -> list[JourneyEvent]:
        """The stored events with these ids, in the order of the ids."""
        with self.reading() as session:
            rows = session.exec(select(JourneyEvent).where(col(JourneyEvent.message_id).in_(message_ids)))
            return sorted(rows, key=lambda row: message_ids.index(row.message_id))

    def totals(self) -> tuple[int, int]:
        """How many events are stored, and how many are in quarantine."""
        with self.reading() as session:
            return (
                len(session.exec(select(JourneyEvent.id)).all()),
                len(session.exec(select(QuarantinedEvent.id)).all()),
            )

    def refused(self, after: int) -> list[QuarantinedEvent]:
        """What came into quarantine after the first `after` rows."""
        with self.reading() as session:
            return list(session.exec(select(QuarantinedEvent).order_by(col(QuarantinedEvent.id))))[after:]

    def switch(self, *, on: bool) -> None:
        """Switch the source on or off, and let the time pass until the collector knows."""
        with self.runtime.unit_of_work() as session:
            session.exec(select(EventSource)).one().is_enabled = on
        self.clock.go_on(seconds=FRESH.total_seconds())


def zipped(body: Any) -> bytes:
    """A JSON body in gzip."""
    return gzip.compress(orjson.dumps(body))


@contextmanager
def collector_on(home: Path, database_url: str, redis_url: str) -> Iterator[Collector]:
    """A collector on an empty, migrated database, with the sample journey and rules and one source."""
    clock = Clock()
    runtime = Runtime(settings_for(home, database_url, redis_url), clock)
    with runtime.unit_of_work() as session:
        journey = journeys.load_journey(session, read_sample("loan.yaml"), [], clock.now)
        for rule in read_sample("rules.yaml"):
            triggers.adopt_rule(session, rule, journey, clock.now)
        intake.add_source(session, "app", KEY, 1.0, clock.now)
    yield Collector(runtime, clock)
    runtime.engine.dispose()
    runtime.redis.close()
