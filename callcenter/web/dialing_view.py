"""The dialing panel: the switch, each campaign with its mode, its budget, and what pacing decided, in words."""

import math
from collections.abc import Mapping
from typing import Any

from flask_babel import gettext

from callcenter.conditions import CEILING, budget_tone
from callcenter.dialing.queries import OVERDIALED
from callcenter.dialing.rules import SENTENCES, PacingLimit
from callcenter.domain.enums import AUTOMATIC_MODES, DialingMode
from callcenter.domain.journey import JourneyDefinition
from callcenter.reporting.dialing import CampaignNow, Decision, DialingNow
from callcenter.web.edge import chosen, language
from callcenter.web.formats import label
from callcenter.web.pages import floor as page


def dialing_panel(now_is: DialingNow, journeys: Mapping[str, JourneyDefinition]) -> page.Dialing:
    """Return the panel for the campaigns whose journeys are loaded, by title."""
    campaigns = [
        _campaign(one, chosen(dict(journeys[one.key].title), one.key), now_is)
        for one in now_is.campaigns
        if one.key in journeys
    ]
    return page.Dialing(
        is_on=now_is.automatic_allowed,
        campaigns=tuple(sorted(campaigns, key=lambda one: one.title)),
        changed_at=now_is.changed_at,
        changed_by=now_is.changed_by,
        ceiling=CEILING,
    )


def mode_in_force(mode: DialingMode, *, automatic_allowed: bool) -> DialingMode:
    """Return the mode that counts: while the switch is off an automatic one counts as preview."""
    return DialingMode.PREVIEW if mode in AUTOMATIC_MODES and not automatic_allowed else mode


def budget_of(campaign: CampaignNow, *, dialed_ahead: bool) -> page.Budget:
    """Return a campaign's budget of abandoned calls, in whole calls."""
    tone, left = budget_tone(campaign, dialed_ahead=dialed_ahead)
    allowed = left + campaign.abandoned
    return page.Budget(
        abandoned=campaign.abandoned,
        answers=campaign.answers,
        ceiling=CEILING,
        allowed=allowed,
        left=left,
        next_at=_answers_for(campaign.abandoned + 1),
        tone=tone,
    )


def _answers_for(abandoned: int) -> int:
    """With how many live answers so many abandoned calls are within the ceiling; the first needs 34."""
    return math.ceil(abandoned / CEILING - 1e-9)


def _campaign(campaign: CampaignNow, title: str, dialing: DialingNow) -> page.Campaign:
    in_force = mode_in_force(campaign.mode, automatic_allowed=dialing.automatic_allowed)
    decisions = tuple(_decision(one) for one in campaign.decisions)
    return page.Campaign(
        key=campaign.key,
        title=title,
        mode=campaign.mode.value,
        in_force=in_force.value,
        lines_per_agent=campaign.lines_per_agent,
        drops_machines=campaign.drops_machines,
        paused_at=campaign.paused_at,
        hours=(campaign.hours[0], campaign.hours[1]) if len(campaign.hours) == 2 else None,
        version=campaign.changed_at.isoformat() if campaign.changed_at else "unset",
        budget=budget_of(campaign, dialed_ahead=in_force in OVERDIALED),
        signed_on=dialing.signed_on,
        ready=dialing.ready,
        ringing=campaign.ringing,
        waiting=campaign.waiting,
        changed_at=campaign.changed_at,
        changed_by=campaign.changed_by,
        decision=decisions[0] if decisions and in_force in OVERDIALED else None,
        decisions=decisions,
    )


def _decision(decision: Decision) -> page.Decision:
    return page.Decision(
        at=decision.at,
        mode=decision.mode.value,
        sentence=sentence_in_words(decision),
        dialed=decision.dialed,
        canceled=decision.canceled,
    )


def sentence_in_words(decision: Decision) -> str:
    """Say a pacing decision in the viewer's language, with the figures it was made with.

    What cannot be said in it, such as a reason of another version, is said as it was written down.
    """
    if language() == "en":
        return decision.sentence
    figures: dict[str, Any] = {**decision.figures, "mode": label(str(decision.figures.get("mode", "")))}
    try:
        limits = [
            one for one in PacingLimit if SENTENCES[one].format_map(decision.figures) in decision.sentence
        ]
        return "".join(_translated(key).format_map(figures) for key in (decision.reason, *limits, "end"))
    except (KeyError, ValueError):
        return decision.sentence


def _translated(key: str) -> str:
    """A template in the viewer's language; its English is the key of the translation."""
    template = SENTENCES[key]
    return str(gettext(template))
