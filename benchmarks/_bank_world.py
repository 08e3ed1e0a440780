"""A bank whose truth is known: customers who stop on a step, come back by themselves or not, and are called.

Of the customers who stop on the step of a rule a share comes back by itself, after a time with a true recovery
curve, and converts as it would without any call. The others convert seldom; a conversation adds a chance that
fades with the age of the moment and depends on the variant of the script. Agents are few and calls take time, so
tasks wait in a queue whose order is the product's: priority, what the call is still worth, and age.

One day is drawn at once (NumPy); only the queue is played call by call.
"""

import heapq
import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from callcenter.calltasks.policy import AGEING_POINTS_PER_MINUTE
from callcenter.learning.worth import points_now

Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]
DAY_MINUTES = 480.0
AGENTS = 30
RULES = 6
EXPIRES_AFTER = 240.0
"""Minutes a call task waits at most."""
GUESSED_WAITS = (2.0, 3.0, 5.0, 10.0, 15.0, 20.0, 30.0)
"""Minutes a bank might set without knowing anything."""


@dataclass(frozen=True)
class Truth:
    """What is true of one rule's customers. Shares in [0, 1], times in minutes.

    `comes_back`: share that returns by itself, exponentially with mean `back_after`, and converts with
    `back_converts`; the others with `stays_converts`, plus, once spoken with, `lift * variant` halved every
    `lift_fades` since the moment. `reach`: share of calls that are answered. `talk`: mean minutes of those.
    """

    arrivals: float
    comes_back: float
    back_after: float
    back_converts: float
    stays_converts: float
    lift: float
    lift_fades: float
    variants: tuple[float, ...]
    reach: float
    talk: float
    first_wait: float

    def yield_at(self, wait: float, variant: float | None = None) -> float:
        """Return conversions because of the call for an agent minute, each call made once its wait is over."""
        multiple = sum(self.variants) / len(self.variants) if variant is None else variant
        there = 1 - self.comes_back * (1 - math.exp(-wait / self.back_after))
        gained = (1 - self.comes_back) * self.reach * self.lift * multiple * 2 ** (-wait / self.lift_fades)
        return gained / (there * self.minutes_a_call)

    @property
    def minutes_a_call(self) -> float:
        """Mean agent minutes of a call, answered or not."""
        return self.reach * self.talk + (1 - self.reach) * NOT_ANSWERED


NOT_ANSWERED = 1.0
"""Minutes of a call nobody answers, with its wrap-up."""


@dataclass(frozen=True)
class Setting:
    """How one rule is run for a day. `band`: (wait, probability); `canary`: a wait tried on a share of visits."""

    band: tuple[tuple[float, float], ...]
    holdout: float
    shares: tuple[float, ...]
    points: float = 0.0
    fades: float = 60.0
    priority: float = 50.0
    is_live: bool = True
    canary: float | None = None
    canary_share: float = 0.2


@dataclass(frozen=True)
class Visits:
    """One rule's day: a row for each customer who stopped; times in minutes of the day."""

    wait: Floats
    probability: Floats
    in_canary: Flags
    held_out: Flags
    stayed: Floats
    """After how many minutes the customer came back by themselves; infinite where never."""
    called: Flags
    reached: Flags
    minutes: Floats
    variant: npt.NDArray[np.int64]
    converted: Flags
    gained: float
    """Conversions because of calls, expected."""


def draw_bank(seed: int, load: float = 1.0) -> list[Truth]:
    """Draw a bank: six rules, their waits guessed; `load` is the work of all calls over that of the agents.

    One rule in ten does harm: whoever is called converts less.
    """
    rng = np.random.default_rng((seed, 1))
    rough = []
    for _ in range(RULES):
        harms = rng.random() < 0.1
        rough.append(
            Truth(
                arrivals=float(rng.lognormal(0, 0.5)),
                comes_back=float(rng.uniform(0.3, 0.7)),
                back_after=float(np.exp(rng.uniform(np.log(3), np.log(30)))),
                back_converts=float(rng.uniform(0.4, 0.7)),
                stays_converts=float(rng.uniform(0.02, 0.08)),
                lift=float(-rng.uniform(0.03, 0.06) if harms else rng.uniform(0.08, 0.40)),
                lift_fades=float(np.exp(rng.uniform(np.log(8), np.log(60)))),
                variants=tuple(float(one) for one in np.exp(rng.normal(0, 0.25, 3))),
                reach=float(rng.uniform(0.45, 0.65)),
                talk=float(rng.uniform(5, 8)),
                first_wait=float(rng.choice(GUESSED_WAITS)),
            )
        )
    work = sum(
        one.arrivals
        * 0.8
        * (1 - one.comes_back * (1 - math.exp(-one.first_wait / one.back_after)))
        * one.minutes_a_call
        for one in rough
    )
    scale = load * AGENTS * DAY_MINUTES / work
    return [Truth(**{**one.__dict__, "arrivals": one.arrivals * scale}) for one in rough]


@dataclass
class _Drawn:
    at: Floats
    visits: Visits
    open_at: Floats
    order: npt.NDArray[np.int64]


def play_day(truths: list[Truth], settings: list[Setting], rng: np.random.Generator) -> list[Visits]:
    """Play one day: who stops, who comes back, whom the agents call, who converts."""
    drawn = [_draw(truth, setting, rng) for truth, setting in zip(truths, settings, strict=True)]
    called_at = _play_queue(drawn, settings)
    return [_settle(truth, one, at, rng) for truth, one, at in zip(truths, drawn, called_at, strict=True)]


def _draw(truth: Truth, setting: Setting, rng: np.random.Generator) -> _Drawn:
    n = int(rng.poisson(truth.arrivals))
    # A quiet morning, a peak of one and a half times the mean in the afternoon.
    at = np.sort(_arrivals(n, rng))
    waits, chances = np.array(setting.band).T
    pick = rng.choice(len(waits), size=n, p=chances)
    wait, probability = waits[pick], chances[pick]
    in_canary = np.zeros(n, dtype=bool)
    if setting.canary is not None:
        in_canary = rng.random(n) < setting.canary_share
        wait = np.where(in_canary, setting.canary, wait)
    stayed = np.where(rng.random(n) < truth.comes_back, rng.exponential(truth.back_after, n), np.inf)
    held_out = rng.random(n) < setting.holdout
    reached = rng.random(n) < truth.reach
    talk = rng.gamma(4.0, truth.talk / 4.0, n)
    variant = rng.choice(len(setting.shares), size=n, p=setting.shares)
    visits = Visits(
        wait=wait,
        probability=probability,
        in_canary=in_canary,
        held_out=held_out,
        stayed=stayed,
        called=np.zeros(n, dtype=bool),
        reached=reached,
        minutes=np.where(reached, talk, NOT_ANSWERED),
        variant=variant,
        converted=np.zeros(n, dtype=bool),
        gained=0.0,
    )
    is_task = ~held_out & (stayed > wait) & setting.is_live
    open_at = at + wait
    order = np.flatnonzero(is_task & (open_at < DAY_MINUTES))
    return _Drawn(at, visits, open_at, order[np.argsort(open_at[order], kind="stable")])


def _arrivals(n: int, rng: np.random.Generator) -> Floats:
    """Times with density `1 - cos(2 pi t / day) / 2`, by inverting its integral on a grid."""
    grid = np.linspace(0, 1, 512)
    reached = grid - np.sin(2 * np.pi * grid) / (4 * np.pi)
    return np.asarray(np.interp(rng.random(n), reached, grid) * DAY_MINUTES)


def _play_queue(drawn: list[_Drawn], settings: list[Setting]) -> list[Floats]:
    """Let free agents take the most urgent task until the day is over; in minutes, infinite where never."""
    called_at = [np.full(len(one.at), np.inf) for one in drawn]
    heads = [0] * len(drawn)
    rows = [one.order.tolist() for one in drawn]
    opens = [one.open_at.tolist() for one in drawn]
    moments = [one.at.tolist() for one in drawn]
    backs = [(one.at + one.visits.stayed).tolist() for one in drawn]
    lasts = [one.visits.minutes.tolist() for one in drawn]
    free = [0.0] * AGENTS
    clock = 0.0
    while free:
        agent_free = heapq.heappop(free)
        now = agent_free if agent_free > clock else clock
        best, best_urgency, soonest = -1, -math.inf, math.inf
        for rule, queue in enumerate(rows):
            head, opened, back = heads[rule], opens[rule], backs[rule]
            last = len(queue)
            while head < last:
                row = queue[head]
                at = opened[row]
                if at > now:
                    soonest = min(soonest, at)
                    break
                if back[row] <= now or now - at > EXPIRES_AFTER:
                    head += 1
                    continue
                setting = settings[rule]
                urgency = (
                    setting.priority
                    + points_now(setting.points, now - moments[rule][row], setting.fades)
                    + (now - at) * AGEING_POINTS_PER_MINUTE
                )
                if urgency > best_urgency:
                    best, best_urgency = rule, urgency
                break
            heads[rule] = head
        if best >= 0:
            row = rows[best][heads[best]]
            heads[best] += 1
            called_at[best][row] = now
            done = now + lasts[best][row]
            if done < DAY_MINUTES:
                heapq.heappush(free, done)
        elif soonest < DAY_MINUTES:
            clock = soonest  # nobody has anything to do before
            heapq.heappush(free, agent_free)
    return called_at


def _settle(truth: Truth, drawn: _Drawn, called_at: Floats, rng: np.random.Generator) -> Visits:
    visits = drawn.visits
    called = np.isfinite(called_at)
    stays = ~np.isfinite(visits.stayed)
    age = np.where(called, called_at - drawn.at, 0.0)
    spoken = called & visits.reached & stays
    added = np.where(
        spoken, truth.lift * np.array(truth.variants)[visits.variant] * 2 ** (-age / truth.lift_fades), 0.0
    )
    chance = np.clip(np.where(stays, truth.stays_converts + added, truth.back_converts), 0.0, 1.0)
    gained = np.where(stays, chance - truth.stays_converts, 0.0)
    return Visits(
        wait=visits.wait,
        probability=visits.probability,
        in_canary=visits.in_canary,
        held_out=visits.held_out,
        stayed=visits.stayed,
        called=called,
        reached=called & visits.reached,
        minutes=np.where(called, visits.minutes, 0.0),
        variant=visits.variant,
        converted=rng.random(len(chance)) < chance,
        gained=float(gained.sum()),
    )
