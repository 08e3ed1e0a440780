"""The loop closed over ninety days: what the product proposes is accepted as it passes the gate.

Decided by the product's own functions, from what it would have seen and nothing else: whom first
(`learning/worth.py`), which variant (`learning/script_choice.py`) and which one for good (`learning/variants.py`),
which wait (`learning/proposing.py`, from drawn waits), whether to pause a rule (`learning/rules.py`), how a canary
stands. Outcomes are known three days later.
A person accepts every proposal the day it is made, and a canary that has not been stopped by its seventh day.
Hold-outs stay as they are.
"""

from dataclasses import dataclass, field
from datetime import timedelta

import numpy as np

from benchmarks._bank_world import Setting, Truth, Visits, draw_bank, play_day
from callcenter.domain.draws import CANARY_SHARE, Band
from callcenter.learning.bands import waits_of
from callcenter.learning.proposing import (
    CanaryCounts,
    judge_canary,
    judge_waits,
    milestones,
    proposed_wait,
    proposes_pause,
)
from callcenter.learning.rules import ArmCounts, VariantCounts, effect_of_rule
from callcenter.learning.script_choice import allocate, prior_from
from callcenter.learning.variants import DrawnCell, best_variant
from callcenter.learning.waits import WaitLog
from callcenter.learning.worth import RuleCounts, points_of, usual_worth, worth_of_rules

DAYS = 90
STEADY_DAYS = 10
"""So many days tell what a bank that learns nothing yields: its days are alike."""
LAG = 3
HOLDOUT = 0.2
BAND_SHARE = 0.5
CANARY_DAYS = 7
SHORTEST_WAIT = 0.5
FADES = 60.0
VARIANTS = ("A", "B", "C")
EVEN = (1 / 3, 1 / 3, 1 / 3)


@dataclass(frozen=True)
class Outcome:
    """What one seed gave. Yields are conversions because of the call for an agent's hour.

    `learned_late`: of the last thirty days. `adopted`: waits and pauses; `scripts`: variants that all customers of
    a rule hear since. `harmful`: changes adopted by the end that made the yield of their
    rule smaller; `kept`: of them those in force on the last day.
    """

    seed: int
    started: float
    learned: float
    learned_late: float
    oracle: float
    adopted: int
    scripts: int
    harmful: int
    kept: int

    @property
    def gain(self) -> float:
        """How much more an agent's hour yields over the ninety days than under the starting rules."""
        return self.learned / self.started - 1

    @property
    def late_gain(self) -> float:
        """The same, of the last thirty days."""
        return self.learned_late / self.started - 1

    @property
    def oracle_gain(self) -> float:
        """The same, for who knew the truth from the first day."""
        return self.oracle / self.started - 1


@dataclass(frozen=True)
class _Past:
    """How a rule was run on a day whose outcomes are not known yet."""

    wait: float
    canary: float | None
    shares: tuple[float, ...]


@dataclass(frozen=True)
class _Change:
    """What was adopted: a wait in place of another, a variant in place of shares, or a pause (None)."""

    rule: int
    before: float | tuple[float, ...] | None
    after: float | str | None

    def is_worse(self, truth: Truth) -> bool:
        """Whether it makes what an agent's hour on the rule yields smaller."""
        if isinstance(self.after, str):
            assert isinstance(self.before, tuple)
            usual = sum(share * one for share, one in zip(self.before, truth.variants, strict=True))
            return (truth.variants[VARIANTS.index(self.after)] < usual) == (truth.lift > 0)
        if self.after is None:
            return truth.lift > 0
        assert isinstance(self.before, float)
        return truth.yield_at(self.after) < truth.yield_at(self.before)

    def is_kept(self, rule: "_Rule") -> bool:
        """Whether it is in force."""
        if self.after is None:
            return not rule.is_live
        return self.after in (rule.wait, rule.variant)


@dataclass
class _Rule:
    """What is known of one rule: its setting, and what came of the visits that are settled."""

    wait: float
    priority: float = 50.0
    points: float = 0.0
    shares: tuple[float, ...] = EVEN
    is_live: bool = True
    canary: float | None = None
    canary_day: int = 0
    counts: np.ndarray = field(default_factory=lambda: np.zeros(4, dtype=np.int64))
    spent: np.ndarray = field(default_factory=lambda: np.zeros(2))
    variants: np.ndarray = field(default_factory=lambda: np.zeros((3, 2), dtype=np.int64))
    drawn: list[DrawnCell] = field(default_factory=list)
    variant: str | None = None
    tried: np.ndarray = field(default_factory=lambda: np.zeros(4, dtype=np.int64))
    log: list[WaitLog] = field(default_factory=list)
    since: int = 0
    looked_at: int = 0

    @property
    def band(self) -> Band:
        """The waits tried beside the set one: half of it, and half as much again."""
        usual = timedelta(minutes=self.wait)
        return Band(usual, (usual * 0.5, usual * 1.5), BAND_SHARE)

    def setting(self) -> Setting:
        """How it is run today."""
        band = tuple((one.wait.total_seconds() / 60, one.probability) for one in self.band.waits)
        return Setting(
            band,
            HOLDOUT,
            self.shares,
            self.points,
            FADES,
            self.priority,
            self.is_live,
            self.canary,
            CANARY_SHARE,
        )


def play(seed: int, days: int = DAYS, steady_days: int = STEADY_DAYS) -> Outcome:
    """Play one bank three times: as it started, with the loop closed, and as one would who knew the truth."""
    truths = draw_bank(seed)
    starting = [Setting(((one.first_wait, 1.0),), HOLDOUT, EVEN) for one in truths]
    started = _yield(_steady(truths, starting, seed, steady_days))
    oracle = _yield(_steady(truths, _known(truths), seed, steady_days))
    learned, late, changes, rules = _learn(truths, seed, days)
    scripts = sum(isinstance(one.after, str) for one in changes)
    harmful = [one for one in changes if one.is_worse(truths[one.rule])]
    kept = sum(one.is_kept(rules[one.rule]) for one in harmful)
    return Outcome(seed, started, learned, late, oracle, len(changes) - scripts, scripts, len(harmful), kept)


def _yield(days: list[list[Visits]]) -> float:
    gained = sum(rule.gained for day in days for rule in day)
    return 60 * gained / sum(float(rule.minutes.sum()) for day in days for rule in day)


def _steady(truths: list[Truth], settings: list[Setting], seed: int, days: int) -> list[list[Visits]]:
    rng = np.random.default_rng((seed, 2))
    return [play_day(truths, settings, rng) for _ in range(days)]


def _known(truths: list[Truth]) -> list[Setting]:
    """The settings of who knows the truth: the best wait and variant of each rule, harm paused, the best first."""
    waits = np.arange(SHORTEST_WAIT, 60.0, 0.5)
    best = [max(waits, key=lambda wait: one.yield_at(float(wait), max(one.variants))) for one in truths]
    yields = [one.yield_at(float(wait), max(one.variants)) for one, wait in zip(truths, best, strict=True)]
    order = sorted(range(len(truths)), key=lambda rule: yields[rule])
    settings = []
    for rule, truth in enumerate(truths):
        top = int(np.argmax(truth.variants))
        shares = tuple(float(place == top) for place in range(len(truth.variants)))
        # Priorities a thousand apart: waiting never lets a worse rule's customer go first.
        priority = 1_000.0 * order.index(rule)
        settings.append(
            Setting(((float(best[rule]), 1.0),), HOLDOUT, shares, 0.0, FADES, priority, truth.lift > 0)
        )
    return settings


def _learn(truths: list[Truth], seed: int, days: int) -> tuple[float, float, list[_Change], list[_Rule]]:
    """Play the days, each night's decisions from what is settled by then; yields of all and of the last thirty."""
    rng = np.random.default_rng((seed, 3))
    rules = [_Rule(one.first_wait) for one in truths]
    played: list[list[Visits]] = []
    settled: list[list[_Past]] = []
    changes: list[_Change] = []
    for day in range(days):
        settled.append([_Past(rule.wait, rule.canary, rule.shares) for rule in rules])
        played.append(play_day(truths, [rule.setting() for rule in rules], rng))
        if day >= LAG:
            for place, rule in enumerate(rules):
                _note(rule, played[day - LAG][place], settled[day - LAG][place], day - LAG)
            _share_out(rules)
            _rank(rules)
            for place, rule in enumerate(rules):
                changes += [_Change(place, *one) for one in (*_propose(rule, day), *_choose(rule))]
    return _yield(played), _yield(played[-30:]), changes, rules


def _note(rule: _Rule, visits: Visits, at: _Past, day: int) -> None:
    """Take in a day whose windows are over."""
    fired = visits.stayed > visits.wait
    treated, held = fired & ~visits.held_out, fired & visits.held_out
    won = visits.converted
    rule.counts += [treated.sum(), held.sum(), (treated & won).sum(), (held & won).sum()]
    rule.spent += [visits.minutes.sum(), visits.called.sum()]
    shares = dict(zip(VARIANTS, at.shares, strict=True))
    for place, name in enumerate(VARIANTS):
        mine = treated & (visits.variant == place)
        rule.variants[place] += [mine.sum(), (mine & won).sum()]
        rule.drawn.append(DrawnCell(name, "", shares, int(mine.sum()), int((mine & won).sum())))
    if day < rule.since or at.wait != rule.wait:
        return
    if at.canary is not None and at.canary == rule.canary:
        on, beside = visits.in_canary, ~visits.in_canary
        rule.tried += [on.sum(), (on & won).sum(), beside.sum(), (beside & won).sum()]
    entered = (visits.stayed > rule.band.shortest.total_seconds() / 60) & ~visits.in_canary
    none = np.zeros((int(entered.sum()), 1))
    rule.log.append(
        WaitLog(
            visits.wait[entered] * 60,
            visits.probability[entered],
            won[entered].astype(np.float64),
            visits.minutes[entered],
            visits.held_out[entered],
            none,
        )
    )


def _share_out(rules: list[_Rule]) -> None:
    """Share the next day's customers out among the variants of every script."""
    for rule in rules:
        if rule.variant is not None:
            rule.shares = tuple(float(name == rule.variant) for name in VARIANTS)
            continue
        counted = {
            name: VariantCounts(int(n), int(won))
            for name, (n, won) in zip(VARIANTS, rule.variants, strict=True)
        }
        made = allocate(counted, prior_from([], list(counted.values())))
        rule.shares = tuple(made.shares[name] for name in VARIANTS)


def _rank(rules: list[_Rule]) -> None:
    """Rank the rules by what a call brings."""
    counted = [
        RuleCounts(
            str(place),
            *map(int, rule.counts),
            float(rule.spent[0]),
            int(rule.spent[1]),
            dialed=int(rule.spent[1]),
        )
        for place, rule in enumerate(rules)
    ]
    worth = worth_of_rules(counted, {one.key: 100.0 for one in counted})
    usual = usual_worth(list(worth.values()))
    for place, rule in enumerate(rules):
        if str(place) in worth:
            rule.points = points_of(worth[str(place)].per_minute, usual)


def _choose(rule: _Rule) -> list[tuple[tuple[float, ...], str]]:
    """Have every customer of a rule hear the variant that is decided to be best, once one is."""
    if rule.variant is not None or not rule.is_live:
        return []
    best = best_variant(rule.drawn, VARIANTS)
    if best is None:
        return []
    before, rule.variant = rule.shares, best.variant
    _share_out([rule])
    return [(before, best.variant)]


def _propose(rule: _Rule, day: int) -> list[tuple[float, float | None]]:
    """Decide a rule's proposals of a night; return what was adopted, as (wait before, wait now or None: paused)."""
    if not rule.is_live:
        return []
    assigned, held, won, held_won = map(int, rule.counts)
    counts = ArmCounts(assigned + held, held, assigned, 0, 0, won, held_won)
    if proposes_pause(effect_of_rule(counts, HOLDOUT)):
        rule.is_live = False
        return [(rule.wait, None)]
    if rule.canary is not None:
        return _watch_canary(rule, day)
    n = sum(len(one.wait) for one in rule.log)
    band = waits_of(rule.band)
    looks = milestones(min(chance for _, chance in band) * (1 - HOLDOUT))
    if sum(n >= one for one in looks) == rule.looked_at:
        return []
    rule.looked_at = sum(n >= one for one in looks)
    best = proposed_wait(judge_waits(_joined(rule.log), rule.wait * 60, band, HOLDOUT))
    if best is not None and best.wait / 60 >= SHORTEST_WAIT:
        rule.canary, rule.canary_day = best.wait / 60, day + 1
        rule.tried[:] = 0
    return []


def _watch_canary(rule: _Rule, day: int) -> list[tuple[float, float | None]]:
    assert rule.canary is not None
    stands = judge_canary(CanaryCounts(*map(int, rule.tried)), CANARY_SHARE)
    if stands.must_stop:
        rule.canary = None
        return []
    if day - rule.canary_day < CANARY_DAYS + LAG:
        return []
    before, rule.wait, rule.canary = rule.wait, rule.canary, None
    rule.log, rule.looked_at, rule.since = [], 0, day + 1
    return [(before, rule.wait)]


def _joined(logs: list[WaitLog]) -> WaitLog:
    return WaitLog(
        *(
            np.concatenate([getattr(one, name) for one in logs])
            for name in ("wait", "probability", "converted", "agent_minutes", "is_held_out", "features")
        )
    )
