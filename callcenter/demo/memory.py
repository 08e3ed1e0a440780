"""What the demo remembers across restarts: one JSON file, replaced in one step, so it is whole or old."""

import json
import os
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any

from callcenter.demo.behaviour import Value
from callcenter.demo.people import Person, TelephoneManner
from callcenter.demo.truth import NO_TROUBLE, Step

FORMAT = 1


class Phase(StrEnum):
    """Whether a customer is in the app."""

    VISITING = "visiting"
    STOPPED = "stopped"


@dataclass
class Act:
    """Something a customer will do at `at` (Unix seconds): an event the app reports, or a turn of theirs."""

    at: float
    kind: str
    name: str = ""
    properties: dict[str, Value] = field(default_factory=dict)


@dataclass
class Customer:
    """One followed customer. Times are Unix seconds.

    `draws` counts the decisions taken, so that each has its own chance and a restart repeats none.
    `moment` is what of the account they come for, empty for a loan.
    `call_sid` is the call they are talking on; `heard_sid` the last one that counted as a conversation.
    """

    person: Person
    step: Step
    phase: Phase = Phase.VISITING
    known: bool = False
    trouble: str = NO_TROUBLE
    moment: str = ""
    stopped_at: float = 0.0
    decided: bool = False
    draws: int = 0
    call_sid: str = ""
    rung_sid: str = ""
    heard_sid: str = ""
    agenda: list[Act] = field(default_factory=list)


@dataclass
class Memory:
    """Everything kept: the index of the next new customer, how far the calls were read, who is followed."""

    seed: int
    next_index: int
    calls_after: int = 0
    customers: list[Customer] = field(default_factory=list)


def save_memory(path: Path, memory: Memory) -> None:
    """Write the file, replacing the old one at once. OSError if it cannot be written."""
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_suffix(".new")
    body = {"format": FORMAT, **asdict(memory)}
    with fresh.open("w", encoding="utf-8") as file:
        json.dump(body, file, ensure_ascii=False, separators=(",", ":"))
        file.flush()
        os.fsync(file.fileno())
    fresh.replace(path)


def load_memory(path: Path, seed: int) -> Memory | None:
    """Read the file; None if there is none, or it is of another seed or format, or cannot be understood."""
    try:
        body = json.loads(path.read_text(encoding="utf-8"))
        if body["format"] != FORMAT or body["seed"] != seed:
            return None
        return Memory(
            seed=seed,
            next_index=int(body["next_index"]),
            calls_after=int(body["calls_after"]),
            customers=list(_customers(body["customers"])),
        )
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None


def _customers(rows: Iterable[dict[str, Any]]) -> Iterable[Customer]:
    for row in rows:
        person = dict(row["person"])
        person["products"] = tuple(person["products"])
        person["telephone"] = TelephoneManner(**person["telephone"])
        yield Customer(
            **{
                **row,
                "person": Person(**person),
                "step": Step(row["step"]),
                "phase": Phase(row["phase"]),
                "agenda": [Act(**act) for act in row["agenda"]],
            }
        )
