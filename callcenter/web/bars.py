"""Why the gate says no, in words that help: a short name for lists, and a sentence that says what to do."""

from flask_babel import lazy_gettext as _l

from callcenter.domain.enums import BarReason
from callcenter.web.labels import LABELS

_BARS = {
    BarReason.DO_NOT_CALL: (
        _l("Do not call"),
        _l("They are on a do-not-call list. Do not try another number of theirs."),
    ),
    BarReason.REFUSED: (
        _l("Refused the offer"),
        _l("They said no to this offer and are not asked again by telephone for now."),
    ),
    BarReason.OBJECTED: (
        _l("Objected"),
        _l("They objected to marketing. Calls about their own application are another matter."),
    ),
    BarReason.DECEASED: (
        _l("Deceased"),
        _l("The customer has died. If the family contacts you, hand over to your supervisor."),
    ),
    BarReason.UNDER_AGE: (_l("Under age"), _l("The customer is under age and is not called.")),
    BarReason.COMPLAINT_OPEN: (
        _l("Complaint open"),
        _l("A complaint of theirs is open. Whoever handles it calls them, nobody else."),
    ),
    BarReason.CUSTOMER_FROZEN: (
        _l("Customer frozen"),
        _l("A stray call was found. Nobody calls them until an administrator has resolved it."),
    ),
    BarReason.NO_CONSENT: (
        _l("No consent"),
        _l("This call needs their consent, and none is on record or it has ended."),
    ),
    BarReason.REGISTRY_STALE: (
        _l("Registry too old"),
        _l("Our copy of a public do-not-call registry is too old. Compliance must import a new one."),
    ),
    BarReason.INVALID_NUMBER: (_l("Number not valid"), _l("We have no number that can be called.")),
    BarReason.NUMBER_KIND_BARRED: (
        _l("Kind of number"),
        _l("Numbers of this kind are not called: no person picks up there, or somebody pays for it."),
    ),
    BarReason.REGION_BARRED: (_l("Region barred"), _l("Nobody in this region is called.")),
    BarReason.UNKNOWN_TIME_ZONE: (
        _l("Time zone unknown"),
        _l("We do not know what time it is where they are, so we do not call."),
    ),
    BarReason.OUTSIDE_CALLING_HOURS: (
        _l("Calling hours"),
        _l("It is outside calling hours where they are, or where they may be."),
    ),
    BarReason.ATTEMPT_CAP_REACHED: (
        _l("Attempt cap"),
        _l("They were called as often as may be, by whatever rule."),
    ),
    BarReason.NUMBER_CAP_REACHED: (
        _l("Cap of the number"),
        _l("This number was called as often as may be; somebody else may have it too."),
    ),
    BarReason.MINIMUM_GAP: (_l("Minimum gap"), _l("The last try was too short a time ago.")),
    BarReason.TALKED_LATELY: (_l("Talked lately"), _l("Somebody talked with them a short time ago.")),
    BarReason.CAMPAIGN_PAUSED: (
        _l("Campaign paused"),
        _l("The campaign is paused. Its call tasks wait until somebody lets it go on."),
    ),
    BarReason.CAMPAIGN_CLOSED: (
        _l("Campaign's hours"),
        _l("It is outside the campaign's own hours where they are."),
    ),
    BarReason.ABANDONMENT_BUDGET_SPENT: (
        _l("Abandonment budget"),
        _l("Too many calls were abandoned in 30 days; only calls with an agent waiting are placed."),
    ),
    BarReason.AGENT_NOT_GUARANTEED: (
        _l("Needs an agent waiting"),
        _l("A call to them was abandoned lately; the next one needs an agent who waits for it."),
    ),
    BarReason.NO_POLICY: (
        _l("No policy applies"),
        _l("No policy pack says when they may be called, or one is malformed. Compliance must look."),
    ),
    BarReason.CLOCK_SET_BACK: (
        _l("Clock set back"),
        _l("Our clock is behind our own records. Compliance or an administrator must confirm it."),
    ),
}


LIFTED_BY_PEOPLE = frozenset(
    {
        BarReason.NO_POLICY,
        BarReason.REGISTRY_STALE,
        BarReason.CAMPAIGN_PAUSED,
        BarReason.ABANDONMENT_BUDGET_SPENT,
    }
)
"""The gate is asked again about these every now and then; nobody can say when they are gone."""


def bar_label(code: str) -> str:
    """Why no call, in two or three words; codes that are no bar's read as everywhere."""
    if code in _BARS:
        return str(_BARS[BarReason(code)][0])
    return str(LABELS[code]) if code in LABELS else code.replace("_", " ").capitalize()


def bar_help(code: str) -> str:
    """What it means and what to do; empty for a code that is no bar's."""
    return str(_BARS[BarReason(code)][1]) if code in _BARS else ""
