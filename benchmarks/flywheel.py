"""Does what the product learns hold, and does it help? Made-up banks whose truth is known.

Told are, each with its goal: how often the product wrongly says "it helps" where calling changes nothing, looked at
after every outcome for 180 days, a daily z-test beside it; how often and when a real effect is found; whether the
page's interval holds the true effect where those who answer convert more anyway; what sharing customers out among
three scripts gains; and the loop closed: a bank of 30 agents for 90 days in which every proposal is accepted as it
passes the gate, against the same bank with its starting rules and against who knows the truth.

The seeds of the banks are 0 to 49; anything that was chosen while this was written was chosen on others.
"""

import json
import os
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
from rich.console import Console
from rich.table import Table

from benchmarks._closed_loop import Outcome, play
from benchmarks._honesty import biased_by_answering, share_out, watch

WORLDS = 1_000
BIASED_WORLDS = 500
SCRIPT_WORLDS = 100
BANKS = range(50)


def run(home: Path) -> None:
    """Play everything, print it beside its goals and write `home/bench/flywheel.json`."""
    null = watch(0.10, 0.10, WORLDS, seed=1)
    real = watch(0.10, 0.16, WORLDS, seed=2)
    biased = biased_by_answering(BIASED_WORLDS, seed=3)
    scripts = share_out(SCRIPT_WORLDS, seed=4)
    workers = max(1, min(4, os.cpu_count() or 2))
    with ProcessPoolExecutor(workers) as pool:
        banks = list(pool.map(play, BANKS))
    found: dict[str, Any] = {
        "null_false_positive_rate": null.helps,
        "power": real.helps,
        "bandit_gain": scripts.gain,
        "closed_loop_gain_median": median(one.gain for one in banks),
        "harmful_kept_rate": float(np.mean([one.kept > 0 for one in banks])),
        "oracle_gain_median": median(one.oracle_gain for one in banks),
        "null_any_verdict_rate": null.decided,
        "daily_z_test_false_positive_rate": null.z_test_helps,
        "daily_z_test_any_verdict_rate": null.z_test,
        "power_median_day": real.median_day,
        "biased_interval_coverage": biased.covered,
        "biased_raw_gap_coverage": biased.gap_covered,
        "biased_raw_gap": biased.gap,
        "biased_true_effect": biased.truth,
        "bandit_best_found": scripts.best_found,
        "closed_loop_late_gain_median": median(one.late_gain for one in banks),
        "closed_loop_gain_quartiles": [
            float(q) for q in np.quantile([one.gain for one in banks], (0.25, 0.75))
        ],
        "changes_adopted_mean": float(np.mean([one.adopted for one in banks])),
        "scripts_adopted_mean": float(np.mean([one.scripts for one in banks])),
        "banks": [asdict(one) for one in banks],
    }
    Console().print(table_of(found, banks))
    target = home / "bench" / "flywheel.json"
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(json.dumps(found, indent=2) + "\n")


def table_of(found: dict[str, Any], banks: list[Outcome]) -> Table:
    """The figures as a table, each with its goal."""
    table = Table(
        title=f"The flywheel: {WORLDS:,} worlds a claim, {len(banks)} banks of 30 agents for 90 days"
    )
    for heading in ("what", "found", "goal"):
        table.add_column(heading)
    day = found["power_median_day"]
    low, high = found["closed_loop_gain_quartiles"]

    def share(name: str, sign: str = "") -> str:
        return format(found[name], f"{sign}.1%")

    gap = f"raw gap {found['biased_raw_gap']:+.3f}, truth {found['biased_true_effect']:+.3f}"
    z_test = f"{share('daily_z_test_false_positive_rate')} / {share('daily_z_test_any_verdict_rate')}"
    rows = (
        ("nothing to find: wrongly says it helps", share("null_false_positive_rate"), "at most 5 %"),
        ("  a z-test every day: helps / anything", z_test, ""),
        (".10 to .16: found", share("power"), "at least 95 %"),
        ("  on the median day", "never" if day is None else f"{day:.0f}", "within 60"),
        ("answering bias: interval holds the truth", share("biased_interval_coverage"), "at least 95 %"),
        (f"  {gap}: its interval does", share("biased_raw_gap_coverage"), ""),
        ("three scripts: conversions beside an even split", share("bandit_gain", "+"), "at least +20 %"),
        ("  best script found", share("bandit_best_found"), "at least 95 %"),
        ("loop closed: an agent's hour yields", share("closed_loop_gain_median", "+"), "at least +30 %"),
        ("  half of the banks between", f"{low:+.1%} and {high:+.1%}", ""),
        ("  in the last 30 days", share("closed_loop_late_gain_median", "+"), ""),
        ("  for who knew the truth from the first day", share("oracle_gain_median", "+"), ""),
        ("  waits and pauses adopted, a bank", f"{found['changes_adopted_mean']:.1f}", ""),
        ("  variants said to everybody, a bank", f"{found['scripts_adopted_mean']:.1f}", ""),
        ("  banks that kept a harmful change", share("harmful_kept_rate"), "at most 5 %"),
    )
    for row in rows:
        table.add_row(*row)
    return table
