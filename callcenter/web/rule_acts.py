"""What people did with a rule, as sentences without their names."""

from collections.abc import Mapping
from typing import Any

from flask_babel import lazy_gettext as _l

from callcenter.reporting.acts import Act
from callcenter.web.counts import ngettext
from callcenter.web.proposal_words import reason_words

_ACTS: Mapping[str, Any] = {
    "rule.drafted": _l("began draft v%(n)s"),
    "rule.drafted_like": _l("began draft v%(n)s from v%(like)s"),
    "rule.draft_saved": _l("saved draft v%(n)s"),
    "rule.submitted": _l("sent v%(n)s for review: %(note)s"),
    "rule.sent_back": _l("sent v%(n)s back: %(reason)s"),
    "rule.discarded": _l("gave draft v%(n)s up"),
    "rule.published": _l("published v%(n)s; open visits stay with theirs"),
    "rule.published_migrate": _l("published v%(n)s; open visits follow it"),
    "rule.adopted": _l("adopted v%(n)s at once, without a review"),
    "rule.paused": _l("paused the rule"),
    "rule.resumed": _l("let the rule run again"),
    "rule.retired": _l("ended the rule: %(reason)s"),
    "rule.tried": _l("put v%(n)s on trial for %(days)s days"),
    "rule.trial_stopped": _l("stopped the trial of v%(n)s: %(reason)s"),
    "rule.rolled_back": _l("went back to what v%(to)s says, as v%(n)s: %(reason)s"),
    "rule.proposed": _l("the system proposed a change"),
    "rule.proposal_canary": _l("took a proposal up for a trial"),
    "rule.proposal_in_review": _l("took a proposal up for review"),
    "rule.proposal_adopted": _l("adopted a proposal"),
    "rule.proposal_declined": _l("declined a proposal: %(reason)s"),
    "rule.proposal_rolled_back": _l("took a proposal back: %(reason)s"),
    "rule.proposal_expired": _l("a proposal ended: %(reason)s"),
}


def act_words(act: Act) -> str:
    """Say an act of the audit trail; one that is not known is told by its code."""
    words = {name: act.detail.get(name) or "–" for name in ("like", "note", "reason", "days", "to")}
    words["reason"] = reason_words(str(words["reason"]))
    words["n"] = act.detail.get("version", "?")
    missed = act.detail.get("missed")
    if missed and act.act == "rule.published":
        return ngettext(
            "published v%(n)s; open visits follow it, for %(num)s it came too late",
            "published v%(n)s; open visits follow it, for %(num)s it came too late",
            int(missed),
            n=words["n"],
        )
    code = act.act
    if "like" in act.detail:
        code = "rule.drafted_like"
    elif act.detail.get("open_visits") == "migrate":
        code = "rule.published_migrate"
    return str(_ACTS[code]) % words if code in _ACTS else act.act
