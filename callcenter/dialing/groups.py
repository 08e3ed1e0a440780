"""Whom do calls need that are placed before they have an agent? Facts in, how many more in; no I/O, no clock.

A group is all agents who suit one kind of call: its language, skill and team, leaving out what was given up by
then. Calls that only a group suits find their agent in it, so the pacing rule is asked of each group as of a floor
of its own: a group of few has one line for each of its agents who is ready. A call counts in its own group and in
every larger one that holds all of it (Hall's condition); the group of everybody is the floor itself.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from callcenter.dialing.forecast import BusyAgent
from callcenter.dialing.policy import PacingPolicy
from callcenter.dialing.rules import PacingFacts, pace
from callcenter.domain.enums import Requirement
from callcenter.domain.needs import Able, Need, suits

Group = frozenset[int]
"""Places of agents among the seats."""


@dataclass(frozen=True, slots=True)
class Kind:
    """What a call asks of its agent, and what of it is given up by now."""

    need: Need
    relaxed: frozenset[Requirement] = frozenset()


@dataclass(frozen=True, slots=True)
class Seat:
    """An agent signed on for automatic calls: what they bring, and whether they are ready or how they are busy.

    `busy` is None for who is ready, and for who does what no forecast knows.
    """

    able: Able
    is_ready: bool = False
    busy: BusyAgent | None = None


@dataclass(frozen=True, slots=True)
class InFlight:
    """A call that has no agent yet, and for how many seconds it has rung; None once it is answered."""

    kind: Kind
    rings_for: float | None


class Places:
    """How many more calls each group can take; taking one counts it wherever it must find its agent."""

    def __init__(self, groups: Mapping[Kind, Group], limits: Mapping[Group, int]) -> None:
        self._groups, self._left = groups, dict(limits)

    def take(self, kind: Kind) -> bool:
        """Count one more call of a kind; False, and nothing is counted, where its agents are spoken for."""
        concerned = self._concerned(kind)
        if not self._groups[kind] or any(self._left[one] < 1 for one in concerned):
            return False
        for one in concerned:
            self._left[one] -= 1
        return True

    def give_back(self, kind: Kind) -> None:
        """Count a call no more that was not placed after all."""
        for one in self._concerned(kind):
            self._left[one] += 1

    def how_many(self, kinds: Iterable[Kind]) -> int:
        """Return how many calls of these kinds, in order, could be taken; nothing is counted."""
        tried = Places(self._groups, self._left)
        return sum(tried.take(one) for one in kinds)

    def _concerned(self, kind: Kind) -> list[Group]:
        own = self._groups[kind]
        return [one for one in self._left if own <= one]


def places_of(
    facts: PacingFacts,
    seats: Sequence[Seat],
    flight: Collection[InFlight],
    kinds: Iterable[Kind],
    policy: PacingPolicy,
) -> Places:
    """Return how many more calls of these kinds may be placed ahead of an agent, group by group.

    `facts` are the floor's; each group's are the same with its own agents and the calls that need one of them.
    """
    asked = {*kinds, *(one.kind for one in flight)}
    groups = {kind: _group(kind, seats) for kind in asked}
    everybody = frozenset(range(len(seats)))
    narrow = {one for one in groups.values() if one and one != everybody}
    limits = {one: pace(_facts_of(one, facts, seats, flight, groups, policy), policy).dial for one in narrow}
    return Places(groups, limits)


def _group(kind: Kind, seats: Sequence[Seat]) -> Group:
    return frozenset(place for place, one in enumerate(seats) if suits(one.able, kind.need, kind.relaxed))


def _facts_of(
    group: Group,
    facts: PacingFacts,
    seats: Sequence[Seat],
    flight: Collection[InFlight],
    groups: Mapping[Kind, Group],
    policy: PacingPolicy,
) -> PacingFacts:
    members = [seats[place] for place in sorted(group)]
    calls = [one for one in flight if groups[one.kind] and groups[one.kind] <= group]
    return replace(
        facts,
        ready=sum(one.is_ready for one in members),
        agents=len(members),
        busy=tuple(one.busy for one in members if one.busy is not None),
        ringing=tuple(one.rings_for for one in calls if one.rings_for is not None),
        waiting=sum(one.rings_for is None for one in calls),
        callable=policy.most_at_once,
        suited=None,
    )
