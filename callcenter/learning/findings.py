"""The evidence of a proposal as it is kept: plain figures, and the definition that would follow; pure, no I/O."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import timedelta
from typing import Any

import numpy as np

from callcenter.domain.durations import duration_text, parse_duration
from callcenter.learning.evidence import Interval, Share
from callcenter.learning.proposing import GATE, JudgedCanary, JudgedWait
from callcenter.learning.rules import RuleEffect, VariantEffect
from callcenter.learning.variants import BestVariant
from callcenter.learning.waits import WaitGain, WaitLog

Figures = Mapping[str, Any]


def definition_with_wait(definition: Figures, now: float, wait: float) -> dict[str, Any]:
    """What a rule says with another wait, in seconds. Its band keeps its shape around the new one."""
    changed = {**definition, "after": duration_text(timedelta(seconds=wait))}
    band = definition.get("band")
    if band:
        scaled = {round(_seconds(one) * wait / now) for one in band["waits"]} - {round(wait)}
        kept = sorted(one for one in scaled if one >= 1 and 0.5 * wait <= one <= 1.5 * wait)
        changed["band"] = {**band, "waits": [duration_text(timedelta(seconds=one)) for one in kept]}
        if not kept:
            del changed["band"]
    return changed


def _seconds(text: str) -> float:
    return parse_duration(text, "band.waits").total_seconds()


def wait_evidence(judged: Sequence[JudgedWait], best: JudgedWait, log: WaitLog, current: float) -> Figures:
    """Why another wait: its gain three ways, the effective sample, and each wait's own counts."""
    seen = best.comparison
    assert seen is not None and seen.doubly_robust is not None
    return {
        "wait": best.wait,
        "wait_now": current,
        "look": best.look,
        "looks": GATE.looks,
        "visits": seen.visits,
        "held_out": seen.held_out,
        "effective_sample": round(seen.effective_sample_size),
        "per_hour_now": seen.current_per_hour,
        "gain": {
            name: _gain(gain)
            for name, gain in (
                ("dr", seen.doubly_robust),
                ("snips", seen.self_normalised),
                ("ips", seen.ips),
            )
            if gain is not None
        },
        "waits": _per_wait(log.first(best.visits_at_look), judged),
    }


def _per_wait(log: WaitLog, judged: Sequence[JudgedWait]) -> list[dict[str, Any]]:
    verdicts = {one.wait: one.verdict.value for one in judged}
    told = []
    for wait in np.unique(log.wait):
        mine = (log.wait == wait) & ~log.is_held_out
        told.append(
            {
                "wait": float(wait),
                "visits": int(mine.sum()),
                "converted": int(log.converted[mine].sum()),
                "minutes": float(log.agent_minutes[mine].sum()),
                "verdict": verdicts.get(float(wait)),
            }
        )
    return told


def _gain(gain: WaitGain) -> dict[str, list[float]]:
    return {
        "conversions": interval_figures(gain.conversions),
        "minutes": interval_figures(gain.minutes),
        "per_hour": interval_figures(gain.per_hour),
    }


def interval_figures(interval: Interval) -> list[float]:
    """An interval as it is kept: low, point, high."""
    return [interval.low, interval.point, interval.high]


def effect_evidence(effect: RuleEffect, **more: Any) -> Figures:
    """What the hold-out says of a rule."""
    return {
        **more,
        "verdict": effect.verdict.value,
        "assigned": _share(effect.converted_of_assigned),
        "held_out": _share(effect.converted_of_held_out),
        "evidence": effect.evidence,
        "difference": interval_figures(effect.difference) if effect.difference else None,
    }


def variant_evidence(effect: VariantEffect, preferred: str) -> Figures:
    """What the random split of two script variants says."""
    return {
        "variant": preferred,
        "a": _share(effect.converted_of_a),
        "b": _share(effect.converted_of_b),
        "evidence": effect.evidence,
        "difference": interval_figures(effect.difference) if effect.difference else None,
    }


def best_variant_evidence(best: BestVariant) -> Figures:
    """What draws among three variants and more say of the one that beats all others, against the closest."""
    return {
        "variant": best.variant,
        "against": best.against,
        "a": _share(best.converted),
        "b": _share(best.converted_of_other),
        "evidence": best.evidence,
        "difference": interval_figures(best.difference),
    }


def canary_evidence(judged: JudgedCanary) -> Figures:
    """How a canary stood when it was last looked at."""
    measured = judged.measured
    return {
        "verdict": judged.verdict.value,
        **asdict(judged.counts),
        "evidence": measured.evidence if measured else None,
        "difference": interval_figures(measured.difference) if measured else None,
    }


def _share(share: Share) -> list[int]:
    return [share.count, share.of]
