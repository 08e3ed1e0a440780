"""A floor of agents and an automatic dialer, simulated call by call; what the benchmark of pacing stands on.

Events (an answer, the end of a talk, ...) happen at any moment, the dialer acts at whole seconds. A customer
answers with a known chance after a while, or the telephone rings out. Who answers gets a free agent at once,
or the first who becomes free within the patience, or is abandoned. There are always customers to call.
"""

import heapq
import math
import random
from collections import deque
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Protocol

DAY_SECONDS = 8 * 3600
KEPT_DIALS = 400
"""Few enough that the answer rate of the last quarter of an hour is seen, not that of the morning."""


@dataclass(frozen=True)
class World:
    """How customers and agents behave; times in seconds, shares in [0, 1].

    Talk is lognormal with this mean and this sigma of its logarithm, wrap-up lognormal likewise (sigma 0: always
    the same). The answer rate swings by `answer_swing` up and down, once in two hours.
    """

    talk_mean: float
    talk_sigma: float
    wrap_up_mean: float = 20.0
    wrap_up_sigma: float = 0.0
    answer_rate: float = 0.30
    answer_swing: float = 0.0
    answer_from: float = 5.0
    answer_to: float = 20.0
    rings_out_after: float = 25.0
    patience: float = 2.0


@dataclass(frozen=True)
class Day:
    """What a day came to: live answers, those abandoned, and calls placed."""

    answers: int
    abandoned: int
    dials: int


class Dialer(Protocol):
    """A pacing policy; asked every second."""

    def begin_day(self, _floor: "Floor", /) -> None:
        """Forget what is the day's."""

    def calls_to_place(self, floor: "Floor", /) -> int:
        """Return how many calls to place this second."""


class _Kind(IntEnum):
    ANSWERED = 0
    RANG_OUT = 1
    TALKED = 2
    WRAPPED_UP = 3
    GAVE_UP = 4


@dataclass
class Floor:
    """The state dialers may look at: agents, calls, the day's counts, those of all days, finished calls.

    Calls and busy agents are kept by a number, with the second since when.
    """

    agents: int
    world: World
    seed: int
    now: int = 0
    idle: int = 0
    ringing: dict[int, float] = field(default_factory=dict)
    talking: dict[int, float] = field(default_factory=dict)
    wrapping: dict[int, float] = field(default_factory=dict)
    waiting: dict[int, float] = field(default_factory=dict)
    answers: int = 0
    abandoned: int = 0
    dials: int = 0
    answers_before: int = 0
    abandoned_before: int = 0
    broke_ceiling: int = 0
    """Calls abandoned while more than 3 % of all answers so far were, or which made it so."""

    def __post_init__(self) -> None:
        """Draw from the seed alone; keep as much of the past as a live system would look at."""
        self._chance = random.Random(self.seed)
        self._events: list[tuple[float, int, _Kind]] = []
        self._number = 0
        self.finished: deque[tuple[bool, float]] = deque(maxlen=KEPT_DIALS)
        self.talks: deque[float] = deque(maxlen=KEPT_DIALS)
        self.wrap_ups: deque[float] = deque(maxlen=KEPT_DIALS)

    def work_a_day(self, dialer: Dialer) -> Day:
        """Work one day from all agents free on; calls in the air at its end are forgotten."""
        for kept in (self.ringing, self.talking, self.wrapping, self.waiting):
            kept.clear()
        self._events.clear()
        self.idle, self.answers, self.abandoned, self.dials = self.agents, 0, 0, 0
        dialer.begin_day(self)
        for second in range(DAY_SECONDS):
            while self._events and self._events[0][0] <= second:
                self._happen(*heapq.heappop(self._events))
            self.now = second
            for _ in range(dialer.calls_to_place(self)):
                self._dial(second)
        self.answers_before += self.answers
        self.abandoned_before += self.abandoned
        return Day(self.answers, self.abandoned, self.dials)

    def _happen(self, at: float, number: int, kind: _Kind) -> None:
        if kind is _Kind.RANG_OUT:
            self.finished.append((False, at - self.ringing.pop(number)))
        elif kind is _Kind.ANSWERED:
            self._answer(at, number)
        elif kind is _Kind.TALKED:
            self.talks.append(at - self.talking.pop(number))
            self.wrapping[number] = at
            length = self._length(self.world.wrap_up_mean, self.world.wrap_up_sigma)
            self._expect(at + length, number, _Kind.WRAPPED_UP)
        elif kind is _Kind.WRAPPED_UP:
            self.wrap_ups.append(at - self.wrapping.pop(number))
            if self.waiting:
                del self.waiting[next(iter(self.waiting))]
                self._talk(at)
            else:
                self.idle += 1
        elif self.waiting.pop(number, None) is not None:
            self._abandon()

    def _dial(self, at: float) -> None:
        self._number += 1
        self.dials += 1
        self.ringing[self._number] = at
        world, chance = self.world, self._chance.random
        rate = world.answer_rate + world.answer_swing * math.sin(2 * math.pi * at / 7200)
        if chance() < rate:
            after = world.answer_from + (world.answer_to - world.answer_from) * chance()
            self._expect(at + after, self._number, _Kind.ANSWERED)
        else:
            self._expect(at + world.rings_out_after, self._number, _Kind.RANG_OUT)

    def _answer(self, at: float, number: int) -> None:
        self.finished.append((True, at - self.ringing.pop(number)))
        self.answers += 1
        if self.idle:
            self.idle -= 1
            self._talk(at)
        else:
            self.waiting[number] = at
            self._expect(at + self.world.patience, number, _Kind.GAVE_UP)

    def _talk(self, at: float) -> None:
        self._number += 1
        self.talking[self._number] = at
        length = self._length(self.world.talk_mean, self.world.talk_sigma)
        self._expect(at + length, self._number, _Kind.TALKED)

    def _abandon(self) -> None:
        self.abandoned += 1
        answers = self.answers_before + self.answers
        self.broke_ceiling += self.abandoned_before + self.abandoned > 0.03 * answers

    def _length(self, mean: float, sigma: float) -> float:
        if sigma == 0:
            return mean
        return mean * math.exp(sigma * self._chance.gauss(0.0, 1.0) - sigma * sigma / 2)

    def _expect(self, at: float, number: int, kind: _Kind) -> None:
        heapq.heappush(self._events, (at, number, kind))
