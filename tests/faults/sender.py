"""A program that sends its share of the stories with the public SDK, unmodified: its threads, queue and retries.

    python -m tests.faults.sender '{"host": ..., "key": ..., "seed": ..., "zone": ..., "number": 0, "of": 4}'

Prints one line of JSON: which events were given up, how often it tried again, how long it took.
"""

import json
import logging
import sys
import time
from collections.abc import Sequence
from typing import Any

import segment.analytics.client

from tests.faults.errands import EVENTS, Act, stories

Client: Any = segment.analytics.client.Client
CLIENTS = 3
"""Of one program, each with a queue and a thread of its own."""
MOST_WAITING = 200
"""With so many events in a client's queue everybody pauses: customers do nothing while they see no page."""


class Retries(logging.Handler):
    """Counts what the SDK says when it tries again."""

    count = 0

    def emit(self, record: logging.LogRecord) -> None:
        self.count += str(record.msg).startswith(("Retry attempt", "Network error retry", "Rate-limited"))


def share(told: Sequence[Sequence[Act]], number: int, of: int) -> list[tuple[float, int, Act]]:
    """What the clients of one of so many programs send, in order: when, by which client, what."""
    clients = CLIENTS * of
    mine = []
    for place, story in enumerate(told):
        for act in story:
            by = place % clients
            mine.append((act.at, by, act))
            if act.again_after is not None:
                other = (by + 1) % clients if act.again_by_another else by
                mine.append((act.at + act.again_after, other, act))
    found = [(at, by % CLIENTS, act) for at, by, act in mine if by // CLIENTS == number]
    return sorted(found, key=lambda one: one[0])


def send(client: Any, act: Act) -> bool:
    """Hand one event to the SDK; False when its queue is full."""
    if act.traits is not None:
        return bool(
            client.identify(act.user, act.traits, anonymous_id=act.device, message_id=act.message_id)[0]
        )
    said: dict[str, Any] = {"application": act.application}
    if act.amount is not None:
        said["amount"] = act.amount
    return bool(client.track(act.user, act.name, said, anonymous_id=act.device, message_id=act.message_id)[0])


def main(wanted: dict[str, Any]) -> dict[str, Any]:
    """Send it all; return what came of it."""
    retries, given_up = Retries(), list[str]()

    def give_up(_: Exception, batch: Sequence[Any]) -> None:
        given_up.extend(event["messageId"] for event in batch)

    clients = [
        Client(
            wanted["key"],
            host=wanted["host"],
            max_queue_size=EVENTS,
            max_retries=100,
            on_error=give_up,
            debug=True,
            log_handler=retries if number == 0 else None,
        )
        for number in range(CLIENTS)
    ]
    acts = share(stories(wanted["seed"], wanted["zone"]), wanted["number"], wanted["of"])
    begun = time.monotonic()
    held = 0.0
    for at, by, act in acts:
        while (early := begun + held + at - time.monotonic()) > 0 or clients[by].queue.qsize() > MOST_WAITING:
            time.sleep(max(early, 0.02))
            held += 0.0 if early > 0 else 0.02
        if not send(clients[by], act):
            given_up.append(act.message_id)
    for client in clients:
        client.shutdown()
    took = time.monotonic() - begun
    return {"sent": len(acts), "given_up": given_up, "retries": retries.count, "seconds": took}


if __name__ == "__main__":
    print(json.dumps(main(json.loads(sys.argv[1]))))  # noqa: T201 - what it is for
