"""How a version of a rule that is tried on some customers stands, for the pages that show it."""

from collections.abc import Sequence
from datetime import datetime

from flask_babel import gettext
from sqlmodel import Session

from callcenter.deciding import judge_trial
from callcenter.learning.proposing import JudgedCanary
from callcenter.models import TriggerRule
from callcenter.web.pages.trials import Arm, Trial
from callcenter.web.proposal_words import VERDICTS


def trial_of(session: Session, row: TriggerRule, now: datetime) -> Trial | None:
    """Return how a version that is or was on trial stands; None for one that never was."""
    if row.canary_from is None:
        return None
    judged = judge_trial(session, row, now)
    assert row.canary_until is not None
    return Trial(
        version=row.version,
        since=row.canary_from,
        until=row.canary_until,
        share=row.canary_share or 0.0,
        verdict=judged.verdict.value,
        verdict_label=str(VERDICTS[judged.verdict.value]),
        arms=_tried_arms(judged),
        difference=_difference(judged),
        evidence=judged.measured.evidence if judged.measured else None,
        ended_at=row.canary_ended_at,
    )


def _tried_arms(judged: JudgedCanary) -> tuple[Arm, ...]:
    counts = judged.counts
    return (
        Arm(gettext("On trial"), counts.converted_tried, counts.tried),
        Arm(gettext("Beside it"), counts.converted_beside, counts.beside),
    )


def _difference(judged: JudgedCanary) -> tuple[float, float, float] | None:
    one = judged.measured.difference if judged.measured else None
    return points_of([one.low, one.point, one.high]) if one else None


def points_of(values: Sequence[float] | None) -> tuple[float, float, float] | None:
    """An interval of shares in points; None stays None."""
    if values is None:
        return None
    low, point, high = (100 * one for one in values)
    return low, point, high
