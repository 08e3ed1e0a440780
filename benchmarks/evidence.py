"""How honest is the evidence? Simulated rules whose truth is known, looked at after every outcome.

For each world: 30 firings a day for 180 days, drawn with a known hold-out share and known conversion
rates. Told are the share of worlds with a verdict (false alarms where nothing differs), the median day of
it, the share decided after the firings planned for one look at the end and for watching, and how often
the interval of the difference held the truth at every one of its weekly looks.
"""

import json
import math
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.table import Table

from callcenter.learning.evidence import firings_needed, firings_needed_when_watched, log_case_split_evidence
from callcenter.learning.rules import ArmCounts, effect_of_rule

ALPHA = 0.05
FIRINGS_A_DAY = 30
DAYS = 180
WORLDS = 1_000
WORLDS_WITH_INTERVALS = 150
SCENARIOS = [
    (0.10, 0.10, 0.10),
    (0.20, 0.10, 0.10),
    (0.10, 0.10, 0.16),
    (0.20, 0.10, 0.16),
    (0.20, 0.10, 0.20),
    (0.20, 0.02, 0.05),
    (0.20, 0.10, 0.06),
]


@dataclass(frozen=True)
class Simulated:
    """What happened in the simulated worlds of one scenario; shares lie in [0, 1]."""

    holdout_share: float
    base_rate: float
    treated_rate: float
    decided: float
    wrong_side: float
    median_day: float | None
    firings_needed: int | None
    power_at_firings_needed: float | None
    firings_needed_when_watched: int | None
    power_when_watched: float | None
    naive_daily_z_test: float
    difference_always_covered: float


@dataclass(frozen=True)
class Worlds:
    """Running counts, one row a world, one column a firing."""

    assigned: np.ndarray
    converted_assigned: np.ndarray
    converted_held_out: np.ndarray


def run(home: Path) -> None:
    """Simulate, print a table and write `home/bench/evidence.json`."""
    results = [simulate(*scenario, seed=index) for index, scenario in enumerate(SCENARIOS)]
    Console().print(table_of(results))
    target = home / "bench" / "evidence.json"
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(json.dumps([asdict(result) for result in results], indent=2) + "\n")


def simulate(holdout_share: float, base_rate: float, treated_rate: float, seed: int) -> Simulated:
    """Run one scenario: a hold-out share and the two true conversion rates."""
    worlds = draw_worlds(np.random.default_rng(seed), holdout_share, base_rate, treated_rate)
    s, f = worlds.converted_assigned, worlds.converted_held_out
    passed = log_case_split_evidence(s, f, holdout_share) >= -math.log(ALPHA)
    decided = passed.any(axis=1)
    first = passed.argmax(axis=1)
    rows = np.arange(WORLDS)
    seen = s[rows, first] + f[rows, first]
    says_helps = s[rows, first] > (1 - holdout_share) * seen
    needed = firings_needed(base_rate, treated_rate, holdout_share) if base_rate != treated_rate else None
    watched = firings_needed_when_watched(base_rate, treated_rate, holdout_share) if needed else None
    return Simulated(
        holdout_share=holdout_share,
        base_rate=base_rate,
        treated_rate=treated_rate,
        decided=float(decided.mean()),
        wrong_side=float((decided & (says_helps != (treated_rate > base_rate))).mean()) if needed else 0.0,
        median_day=float(np.median(first[decided] / FIRINGS_A_DAY)) if needed and decided.any() else None,
        firings_needed=needed,
        power_at_firings_needed=power_at(passed, needed),
        firings_needed_when_watched=watched,
        power_when_watched=power_at(passed, watched),
        naive_daily_z_test=daily_z_test(worlds),
        difference_always_covered=coverage(worlds, holdout_share, treated_rate - base_rate),
    )


def power_at(passed: np.ndarray, firings: int | None) -> float | None:
    """Share of worlds decided by a number of firings; None beyond the simulated time."""
    if firings is None or firings > passed.shape[1]:
        return None
    return float(passed[:, :firings].any(axis=1).mean())


def draw_worlds(
    rng: np.random.Generator, holdout_share: float, base_rate: float, treated_rate: float
) -> Worlds:
    """Draw every firing of every world and count along."""
    shape = (WORLDS, FIRINGS_A_DAY * DAYS)
    treated = rng.random(shape) >= holdout_share
    converted = rng.random(shape) < np.where(treated, treated_rate, base_rate)

    def running(flags: np.ndarray) -> np.ndarray:
        return np.cumsum(flags, axis=1, dtype=np.int32)

    return Worlds(running(treated), running(treated & converted), running(~treated & converted))


def daily_z_test(worlds: Worlds) -> float:
    """Share of worlds in which a z-test, repeated every day, ever says 5 %."""
    days = np.arange(FIRINGS_A_DAY - 1, FIRINGS_A_DAY * DAYS, FIRINGS_A_DAY)
    n1 = np.maximum(worlds.assigned[:, days], 1)
    n0 = np.maximum(days + 1 - worlds.assigned[:, days], 1)
    s, f = worlds.converted_assigned[:, days], worlds.converted_held_out[:, days]
    pooled = (s + f) / (n1 + n0)
    error = np.sqrt(np.maximum(pooled * (1 - pooled) * (1 / n1 + 1 / n0), 1e-12))
    return float((np.abs(s / n1 - f / n0) / error > 1.96).any(axis=1).mean())


def coverage(worlds: Worlds, holdout_share: float, truth: float) -> float:
    """Share of worlds whose interval held the true difference at every weekly look."""
    held_always = 0
    for world in range(WORLDS_WITH_INTERVALS):
        looks = range(7 * FIRINGS_A_DAY - 1, FIRINGS_A_DAY * DAYS, 7 * FIRINGS_A_DAY)
        held_always += all(covers(worlds, world, look, holdout_share, truth) for look in looks)
    return held_always / WORLDS_WITH_INTERVALS


def covers(worlds: Worlds, world: int, look: int, holdout_share: float, truth: float) -> bool:
    """Does the interval of one world at one look hold the true difference, where it shows one?"""
    assigned = int(worlds.assigned[world, look])
    counts = ArmCounts(
        fired=look + 1,
        held_out=look + 1 - assigned,
        assigned=assigned,
        called=0,
        reached=0,
        converted_assigned=int(worlds.converted_assigned[world, look]),
        converted_held_out=int(worlds.converted_held_out[world, look]),
    )
    difference = effect_of_rule(counts, holdout_share, ALPHA).difference
    return difference is None or difference.low <= truth <= difference.high


def table_of(results: list[Simulated]) -> Table:
    """The results as a table, a row a scenario."""
    table = Table(
        title=f"Evidence after every outcome: {WORLDS:,} worlds, {FIRINGS_A_DAY} firings a day, {DAYS} days"
    )
    headings = [
        "held out",
        "truth",
        "decided",
        "wrong side",
        "median day",
        "one look",
        "power",
        "watched",
        "power",
    ]
    for heading in [*headings, "daily z-test", "interval held"]:
        table.add_column(heading, justify="right")
    for r in results:
        table.add_row(
            f"{r.holdout_share:.0%}",
            f"{r.base_rate:.2f} -> {r.treated_rate:.2f}",
            f"{r.decided:.1%}",
            f"{r.wrong_side:.1%}",
            "" if r.median_day is None else f"{r.median_day:.0f}",
            "" if r.firings_needed is None else f"{r.firings_needed:,}",
            "" if r.power_at_firings_needed is None else f"{r.power_at_firings_needed:.0%}",
            "" if r.firings_needed_when_watched is None else f"{r.firings_needed_when_watched:,}",
            "" if r.power_when_watched is None else f"{r.power_when_watched:.0%}",
            f"{r.naive_daily_z_test:.0%}",
            f"{r.difference_always_covered:.0%}",
        )
    return table
