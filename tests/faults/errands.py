"""What thousands of customers do in a minute, always the same for one seed: a journey, its rules, their stories.

Each customer's story goes by one client in order. Some sign in only on the way, a few give a number, some
events are sent twice with the same id: by the same client a little later, or by another at the same moment.
"""

import random
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from tests.system import number_in

CUSTOMERS, EVENTS = 6_000, 50_000
SENDING_SECONDS = 40.0
"""From the first event to the last; each customer begins at a random moment of it."""
STORY_SECONDS = 10.0
"""The longest story."""
FIRST_DEADLINE, LAST_DEADLINE = 68.0, 74.0
"""Seconds after its anchor at which the first and the last rule run out: far beyond the end of each story."""

JOURNEY: Mapping[str, Any] = {
    # In the place of the sample's, whose scripts say what to tell who is called.
    "journey": "loan",
    "key": "application",
    "gap": "86400s",
    "steps": [
        {
            "id": "form",
            "enter": ["form_page"],
            "events": ["form_field", "form_saved"],
            "errors": ["form_refused"],
        },
        {
            "id": "papers",
            "enter": ["papers_page"],
            "events": ["paper_added", "paper_accepted"],
            "errors": ["paper_refused", "paper_lost"],
        },
        {"id": "check", "enter": ["check_page"], "events": ["check_asked", "check_answered"]},
        {"id": "settled", "enter": ["errand_settled"]},
    ],
    "exits": ["errand_dropped"],
}
RULES: tuple[Mapping[str, Any], ...] = tuple(
    {"journey": "loan", **rule}
    for rule in (
        {
            "rule": "form-quiet",
            "step": "form",
            "preset": "gone_quiet",
            "after": "68s",
            "conditions": {"field": "visit.errors", "op": ">=", "value": 1},
        },
        {
            "rule": "large-form-stays",
            "step": "form",
            "preset": "dwell",
            "after": "70s",
            "conditions": {"field": "visit.amount", "op": ">=", "value": 3},
        },
        {"rule": "papers-trouble", "step": "papers", "preset": "trouble", "times": 2, "priority": 80},
        {
            "rule": "papers-not-accepted",
            "step": "papers",
            "preset": "trouble",
            "after": "69s",
            "unless": ["paper_accepted"],
        },
        {
            "rule": "check-not-answered",
            "step": "check",
            "preset": "absence",
            "event": "check_asked",
            "after": "74s",
            "unless": ["check_answered"],
        },
    )
)
_BEGINS = "form_page"
_BESIDE = "balance_shown"
"""An event that belongs to no journey."""


@dataclass(frozen=True, slots=True)
class Act:
    """One event: `at` seconds after the beginning. `again_after` says when it is sent once more, if it is."""

    at: float
    message_id: str
    name: str
    application: str
    user: str | None
    device: str | None = None
    amount: int | None = None
    traits: Mapping[str, Any] | None = None
    again_after: float | None = None
    again_by_another: bool = False


def stories(seed: int, zone: str) -> list[list[Act]]:
    """What each customer does: together EVENTS events. `zone` is the time zone of those who give a number."""
    told = [_story(random.Random(f"{seed}-{number}"), number, zone) for number in range(CUSTOMERS)]
    missing = EVENTS - sum(map(len, told))
    assert missing >= 0, f"{-missing} events too many"
    for turn in range(missing):
        story = told[turn % CUSTOMERS]
        last, number = story[-1], len(story)
        message_id = f"{last.application}-{number}"
        # What belongs to no journey may come in twice at once: nobody can say which of the two was first.
        twice = turn % 25 == 0 and last.device is None
        beside = Act(last.at + 0.1, message_id, _BESIDE, last.application, last.user, again_by_another=twice)
        story.append(replace(beside, device=last.device, again_after=0.0 if twice else None))
    return told


def _story(chance: random.Random, number: int, zone: str) -> list[Act]:
    user, application = f"errand-{number:04d}", f"e{number:04d}"
    at, device = chance.uniform(0, SENDING_SECONDS - STORY_SECONDS), None
    signs_in_at = -1
    if number % 33 == 0:
        device, signs_in_at = f"device-{number:04d}", chance.randint(1, 4)
    told: list[Act] = []

    def happens(name: str, **more: Any) -> None:
        is_known = signs_in_at < 0 or len(told) >= signs_in_at
        if len(told) == signs_in_at:
            name, more = "identify", {"traits": {"name": "Wei"}}
        again = chance.uniform(0, 1.5) if chance.random() < 0.04 else None
        act = Act(
            at,
            f"{application}-{len(told)}",
            name,
            application,
            user if is_known else None,
            device,
            again_after=again,
            **more,
        )
        told.append(act)

    if number % 100 == 1 and device is None:
        traits = {"name": "Wei", "phone": number_in(zone, number), "time_zone": zone, "language": "zh"}
        happens("identify", traits=traits)
    for name in _names(chance):
        at += chance.uniform(0.15, 0.9)
        happens(name, amount=chance.randint(1, 5) if chance.random() < 0.3 else None)
    return told


def _names(chance: random.Random) -> Iterator[str]:
    """Walk through the journey: mostly on, now and then back, out, or stuck."""
    steps: Any = JOURNEY["steps"]
    place = 0
    yield _BEGINS
    for _ in range(chance.randint(6, 14)):
        draw, step = chance.random(), steps[place]
        if draw < 0.28:
            place += 1
            yield steps[place]["enter"][0]
            if place == len(steps) - 1:
                return
        elif draw < 0.32 and place:
            place -= 1
            yield steps[place]["enter"][0]
        elif draw < 0.42:
            place = 0
            yield JOURNEY["exits"][0]
            if chance.random() < 0.9:
                return
            yield _BEGINS
        elif draw < 0.66 and step.get("errors"):
            yield chance.choice(step["errors"])
        else:
            # The second is the success that some rules wait for.
            yield step["events"][chance.random() < 0.3]
