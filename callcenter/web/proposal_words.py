"""Proposals in words: kinds, states, what they would bring, and why they ended."""

from collections.abc import Mapping, Sequence
from typing import Any

from flask_babel import gettext
from flask_babel import lazy_gettext as _l

from callcenter.domain.enums import ProposalKind, ProposalState
from callcenter.models import Proposal
from callcenter.web.formats import signed

KINDS: Mapping[str, Any] = {
    ProposalKind.WAIT: _l("Another wait"),
    ProposalKind.PAUSE: _l("Pause the rule"),
    ProposalKind.HOLDOUT: _l("Smaller hold-out"),
    ProposalKind.VARIANT: _l("Script variant"),
}
STATES: Mapping[str, Any] = {
    ProposalState.OPEN: _l("Waits for you"),
    ProposalState.IN_REVIEW: _l("In review"),
    ProposalState.CANARY: _l("On trial"),
    ProposalState.ADOPTED: _l("Adopted"),
    ProposalState.DECLINED: _l("Declined"),
    ProposalState.ROLLED_BACK: _l("Taken back"),
    ProposalState.EXPIRED: _l("Out of date"),
}
VERDICTS: Mapping[str, Any] = {
    "better": _l("Better"),
    "worse": _l("Worse"),
    "not_known": _l("Not known yet"),
    "too_early": _l("Too early"),
    "split_fails": _l("Not shown: the split is not as drawn"),
}
REASONS: Mapping[str, Any] = {
    "harm": _l("stopped by itself: fewer customers converted"),
    "split": _l("stopped by itself: its customers were not the share that was drawn"),
    "undecided": _l("ended by itself: nobody decided within two weeks"),
    "elsewhere": _l("decided on the rule's own page"),
    "time": _l("nobody took it up within 30 days"),
    "overtaken": _l("the rule says something else by now"),
}
WAIT_NOTES: Mapping[str, Any] = {
    "passes": _l("better"),
    "no_gain": _l("no gain shown"),
    "too_few": _l("too few yet"),
    "no_holdout": _l("too few held out"),
    "not_as_drawn": _l("not as drawn"),
}
WAYS: Mapping[str, Any] = {
    "dr": _l("Doubly robust"),
    "snips": _l("Self-normalised"),
    "ips": _l("Inverse propensity"),
}


def reason_words(reason: str) -> str:
    """Why a proposal ended: a known code in words, else what a person wrote."""
    return str(REASONS[reason]) if reason in REASONS else reason


def seconds_words(seconds: float) -> str:
    """A wait as people say it: 45 s, 2.5 min."""
    if seconds < 60:
        return gettext("%(n)s s", n=f"{seconds:g}")
    if seconds < 7200:
        return gettext("%(n)s min", n=f"{seconds / 60:.3g}")
    return gettext("%(n)s h", n=f"{seconds / 3600:.3g}")


def change_words(row: Proposal) -> str:
    """What would change, in a few words."""
    told = row.evidence
    match row.kind:
        case ProposalKind.WAIT:
            return f"{seconds_words(told['wait_now'])} → {seconds_words(told['wait'])}"
        case ProposalKind.HOLDOUT:
            return f"{told['share_now'] * 100:g} % → {told['share'] * 100:g} %"
        case ProposalKind.VARIANT:
            return gettext("always variant %(v)s", v=told["variant"])
        case _:
            return gettext("stop calling by it")


def gain_words(row: Proposal) -> str:
    """What it is expected to bring, with its interval."""
    told = row.evidence
    if row.kind == ProposalKind.WAIT and "gain" in told:
        low, point, high = told["gain"]["dr"]["per_hour"]
        return gettext(
            "%(point)s conversions an agent-hour (%(low)s to %(high)s)",
            point=signed(point, 2),
            low=signed(low, 2),
            high=signed(high, 2),
        )
    difference: Sequence[float] | None = told.get("difference")
    if not difference:
        return ""
    low, point, high = (100 * one for one in difference)
    words = {"point": signed(point, 1), "low": signed(low, 1), "high": signed(high, 1)}
    if "against" in told:
        names = {"v": told["variant"], "other": told["against"]}
        return gettext("%(v)s against %(other)s: %(point)s points (%(low)s to %(high)s)", **names, **words)
    if row.kind == ProposalKind.VARIANT:
        return gettext("A against B: %(point)s points (%(low)s to %(high)s)", **words)
    return gettext("effect of calling: %(point)s points (%(low)s to %(high)s)", **words)


def why_words(row: Proposal) -> str:
    """Why it is proposed, in a sentence."""
    told = row.evidence
    match row.kind:
        case ProposalKind.WAIT:
            return gettext(
                "Visits drew their wait from a band. After %(wait)s agents' time brings more conversions that "
                "would not have come without the call than after %(now)s.",
                wait=seconds_words(told["wait"]),
                now=seconds_words(told["wait_now"]),
            )
        case ProposalKind.PAUSE:
            return gettext(
                "Of the customers this rule calls fewer convert than of those held out, and it is not chance."
            )
        case ProposalKind.HOLDOUT:
            return gettext(
                "It is decided that calling helps. A smaller hold-out calls more customers and still shows "
                "if the effect goes away."
            )
        case _:
            return gettext("Customers who drew variant %(v)s convert more often.", v=told["variant"])


def accepting_words(kind: str) -> str:
    """What accepting does."""
    if kind == ProposalKind.WAIT:
        return gettext(
            "It is tried on 20 % of the customers beside the rule as it is, and stops by itself if it harms. "
            "A second person adopts it afterwards."
        )
    if kind == ProposalKind.PAUSE:
        return gettext("The rule is paused at once. It can be let run again at any time.")
    return gettext("It goes to review as a new version. A second person makes it live.")
