"""What the customers' app sends: a thin wrapper of the public Segment SDK, pointed at the product."""

import atexit
import time
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Protocol

from segment.analytics.client import Client

from callcenter.demo.behaviour import IDENTIFY, PAGE, Value
from callcenter.demo.people import Person

QUEUE_LIMIT = 10_000
# The SDK waits up to a minute between tries, so this many outlast any outage the bounded queue survives.
MAX_RETRIES = 2_000
REQUEST_TIMEOUT_S = 10


class App(Protocol):
    """What the world needs of the app: a way to report, under an identity, one thing that happened."""

    def report(
        self, person: Person, known: bool, kind: str, name: str, properties: Mapping[str, Value], at: datetime
    ) -> None:
        """Report one event; never raises and never blocks."""


class AppClient:
    """Sends events in the background, retrying; when the queue is full the newest are dropped and counted."""

    def __init__(self, write_key: str, host: str) -> None:
        untyped_client: Any = Client
        self._client = untyped_client(
            write_key,
            host=host,
            max_queue_size=QUEUE_LIMIT,
            max_retries=MAX_RETRIES,
            timeout=REQUEST_TIMEOUT_S,
            on_error=self._note_refusal,
        )
        # The SDK's own exit hook waits for a running request; `close` bounds the wait instead.
        atexit.unregister(self._client.join)
        self.reported = 0
        self.dropped = 0
        self.refused = 0

    @property
    def waiting(self) -> int:
        """How many events are not delivered yet, those in a running request included."""
        return int(self._client.queue.unfinished_tasks)

    def report(
        self, person: Person, known: bool, kind: str, name: str, properties: Mapping[str, Value], at: datetime
    ) -> None:
        """Queue one event. Identified customers carry both ids, so that the device stays joined to them."""
        who: dict[str, Any] = {
            "anonymous_id": person.anonymous_id,
            "user_id": person.user_id if known else None,
            "timestamp": at,
            "context": context_of(person),
        }
        if kind == IDENTIFY:
            queued, _ = self._client.identify(traits=traits_of(person) | dict(properties), **who)
        elif kind == PAGE:
            queued, _ = self._client.page(name=name, properties=properties_of(person, properties), **who)
        else:
            queued, _ = self._client.track(event=name, properties=properties_of(person, properties), **who)
        if queued:
            self.reported += 1
        else:
            self.dropped += 1

    def close(self, within_s: float) -> None:
        """Deliver what is queued, for at most `within_s` seconds; what is left then is lost."""
        deadline = time.monotonic() + within_s
        while self.waiting and time.monotonic() < deadline:
            time.sleep(0.02)
        for consumer in self._client.consumers:
            consumer.pause()

    def _note_refusal(self, _error: Exception, batch: list[object]) -> None:
        self.refused += len(batch)


def context_of(person: Person) -> dict[str, Any]:
    """What the app says of the device with every event."""
    system, _, version = person.device.partition(" ")
    return {
        "app": {"name": "Loan", "version": person.app_version},
        "os": {"name": system, "version": version},
        "locale": "zh-CN" if person.language == "zh" else "en-US",
        "timezone": person.time_zone,
    }


def properties_of(person: Person, properties: Mapping[str, Value]) -> dict[str, Value]:
    """The properties of an event, with those that every event bears."""
    return {
        "application_id": person.application_id,
        "device": person.device,
        "app_version": person.app_version,
        **properties,
    }


def traits_of(person: Person) -> dict[str, Any]:
    """What an identify call tells of a customer."""
    return {
        "name": person.name,
        "phone": person.phone,
        "gender": person.gender,
        "language": person.language,
        "time_zone": person.time_zone,
        "city": person.city,
        "products": list(person.products),
    }
