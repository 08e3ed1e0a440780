"""Where customers are, read the slow way: all that has come in is read from the beginning, event by event.

Times are whole seconds after the start of the world; a journey is what its YAML file says.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

DAY = 86_400
"""An event older than this when it comes in is history: it says whose a device is, and feeds no live rule."""

Course = tuple[str, str]
"""Whose way through the journey, and with which journey key; a device nobody has signed in on is somebody."""


@dataclass(frozen=True, slots=True)
class Event:
    """One event; a sender that is not sure sends it again, with the same message id.

    It names a customer (`who`), a device, or both. `identify` and `alias` say whose a device is and nothing else.
    """

    happened: int
    message_id: str
    who: str
    journey_key: str
    name: str
    amount: int | None = None
    device: str = ""


@dataclass(frozen=True, slots=True)
class Moment:
    """A moment at which somebody looks: a tick, or what has just come in and is stored at once.

    `requests` says how many of the events each request brought, where that was more than one request.
    """

    at: int
    events: tuple[Event, ...] = ()
    requests: tuple[int, ...] = ()

    def arrived(self, known_before: Collection[str]) -> list[Event]:
        """The events that are new, as they happened; those of one second as they stood in their request.

        Of an event that came twice the first counts. Where several requests are stored at once, first come the
        first events of all of them, then the second ones; what is still equal goes by message id.
        """
        places = [place for size in self.requests or (len(self.events),) for place in range(size)]
        first: dict[str, tuple[int, int, str, Event]] = {}
        for place, event in zip(places, self.events, strict=True):
            if event.message_id not in known_before:
                one = (event.happened, place, event.message_id, event)
                first.setdefault(event.message_id, one)
        return [event for *_, event in sorted(first.values(), key=lambda one: one[:3])]


@dataclass(slots=True)
class Visit:
    """A stay on a step: its events in the order they came in; `earlier` are entries heard of only later.

    `opened_as` names it for good: a visit that is given to another customer goes on as the same visit.
    """

    opened_as: tuple[Course, int]
    visit_seq: int
    step: str
    entered: int
    events: list[Event] = field(default_factory=list)
    earlier: list[Event] = field(default_factory=list)

    def seen(self, names: Iterable[str], where: Any = None) -> list[int]:
        """When the events of these names happened that say what is asked for, in order."""
        known = [one for one in (*self.events, *self.earlier) if one.name in set(names)]
        return sorted(one.happened for one in known if _says(where, one))

    def last_activity(self) -> int:
        """When the customer last did something."""
        return max(one.happened for one in self.events)


@dataclass(slots=True)
class Known:
    """What is known after some moments: the open visits, whose the devices are, and what the last one brought."""

    visits: dict[Course, Visit] = field(default_factory=dict)
    last_seq: dict[Course, int] = field(default_factory=dict)
    owner: dict[str, str] = field(default_factory=dict)
    message_ids: set[str] = field(default_factory=set)
    touched: set[Course] = field(default_factory=set)


def known_after(journey: Mapping[str, Any], batches: Iterable[Moment]) -> Known:
    """Read everything that has come in, batch by batch, each in the order things happened."""
    owner_of = {name: step for step in journey["steps"] for name in names_of(step)}
    known = Known()
    for batch in batches:
        events = _whose(known, batch.arrived(known.message_ids))
        known.message_ids |= {one.message_id for one in batch.events}
        known.touched = set()
        for event in events:
            is_of_journey = event.name in owner_of or event.name in journey.get("exits", ())
            if is_of_journey and batch.at - event.happened <= DAY:
                known.touched.add((event.who, event.journey_key))
                _take(journey, owner_of, known, event)
    return known


def _whose(known: Known, events: Sequence[Event]) -> list[Event]:
    """Say whose the events of a batch are, and join those to a customer who turned out to be that customer.

    An event that names a customer is theirs, and says that its device is theirs from now on. One that names a
    device only is of the customer whose the device is; of nobody known, it is of the device. When a device is
    first said to be somebody's, everything of it so far was theirs, in this batch too; when it was another
    customer's, that customer keeps what was theirs.
    """
    owned: list[Event] = []
    joined: dict[str, str] = {}
    for event in events:
        nobody = f"device {event.device}"
        if event.who and event.device:
            if known.owner.get(event.device) == nobody:
                joined[nobody] = event.who
            known.owner[event.device] = event.who
        who = event.who or known.owner.setdefault(event.device, nobody)
        owned.append(replace(event, who=who))
    _join(known, joined)
    return [replace(one, who=joined.get(one.who, one.who)) for one in owned]


def _join(known: Known, joined: Mapping[str, str]) -> None:
    """Give the open visits of devices to their customers, that with the earliest activity first.

    A customer is in one place of a course: where they are in it already, the visit with the later activity
    stays and the other ends, the customer's own staying when both are equal. A visit given to a customer is
    the next of theirs, and goes on: what it fired it does not fire again, what was looked at was looked at.
    """
    courses = [course for course in known.visits if course[0] in joined]
    for course in sorted(courses, key=lambda one: known.visits[one].last_activity()):
        visit, theirs = known.visits.pop(course), (joined[course[0]], course[1])
        mine = known.visits.get(theirs)
        if mine is None or mine.last_activity() < visit.last_activity():
            known.last_seq[theirs] = visit.visit_seq = known.last_seq.get(theirs, 0) + 1
            known.visits[theirs] = visit


def _take(
    journey: Mapping[str, Any], owner_of: Mapping[str, Mapping[str, Any]], known: Known, event: Event
) -> None:
    """Let an event of a course move its visit."""
    course = (event.who, event.journey_key)
    visit = known.visits.get(course)
    if visit and _went_silent(journey, visit, event):
        del known.visits[course]
        visit = None
    if event.name in journey.get("exits", ()):
        if visit and event.happened >= visit.entered:
            del known.visits[course]
        return
    step = owner_of[event.name]
    if step.get("milestone"):
        return
    if "crossing" in step and event.name in step["enter"] and not _crosses(step["crossing"], event.amount):
        is_there = visit and visit.step == step["id"] and event.happened >= visit.entered
        if is_there and _has_come_back(step["crossing"], event.amount):
            del known.visits[course]
        return
    if visit and not _moves(journey, step, visit, event):
        return
    if visit and visit.step == step["id"]:
        visit.events.append(event)
        return
    known.visits.pop(course, None)
    if step["id"] != journey["steps"][-1]["id"]:
        # Any event of a step says that the customer is there: the entry itself may have been lost.
        seq = known.last_seq[course] = known.last_seq.get(course, 0) + 1
        known.visits[course] = Visit((course, seq), seq, step["id"], event.happened, [event])


def _moves(journey: Mapping[str, Any], step: Mapping[str, Any], visit: Visit, event: Event) -> bool:
    """Whether an event says something of where the customer is now, other than an earlier entry to the step.

    What happened before the entry does not say that the customer left, and leaving something open on a
    lower step does not say that they went back there. An entry so long before that silence has ended that
    stay is of an earlier one.
    """
    is_entry = event.name in step["enter"]
    if event.happened < visit.entered:
        if is_entry and step["id"] == visit.step and not _is_silence(journey, visit.entered - event.happened):
            visit.entered = event.happened
            visit.earlier.append(event)
        return False
    steps = [one["id"] for one in journey["steps"]]
    return is_entry or steps.index(step["id"]) >= steps.index(visit.step)


def _went_silent(journey: Mapping[str, Any], visit: Visit, event: Event) -> bool:
    return _is_silence(journey, event.happened - visit.last_activity())


def _is_silence(journey: Mapping[str, Any], pause: int) -> bool:
    return journey["gap"] != "none" and pause > seconds(journey["gap"])


def _crosses(crossing: Mapping[str, Any], score: int | None) -> bool:
    """Whether a score is beyond the threshold, or at it."""
    if score is None:
        return False
    return bool(score >= crossing["above"] if "above" in crossing else score <= crossing["below"])


def _has_come_back(crossing: Mapping[str, Any], score: int | None) -> bool:
    """Whether a score has come back beyond the mark from which it may cross again."""
    if score is None:
        return False
    return bool(score < crossing["rearm"] if "above" in crossing else score > crossing["rearm"])


def _says(where: Any, event: Event) -> bool:
    """Whether an event says what a rule asks of it; one that says nothing compares as false."""
    if not where:
        return True
    if "not" in where:
        return not _says(where["not"], event)
    return compares(event.amount, where)


def compares(have: Any, condition: Mapping[str, Any]) -> bool:
    """Whether a value is what a comparison asks for; one that is not there is not."""
    if have is None:
        return False
    match condition["op"]:
        case ">=":
            return bool(have >= condition["value"])
        case "<":
            return bool(have < condition["value"])
        case _:
            return bool(have == condition["value"])


def names_of(step: Mapping[str, Any]) -> list[str]:
    """The events of a step."""
    return [*step["enter"], *step.get("events", ()), *step.get("errors", ())]


def seconds(duration: str) -> int:
    """A duration such as 60s."""
    return int(duration.removesuffix("s"))
