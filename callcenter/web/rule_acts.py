"""What people did with a rule, as sentences without their names."""

from collections.abc import Mapping
from typing import Any

from flask_babel import lazy_gettext as _l
from flask_babel import ngettext

from callcenter.reporting.acts import Act

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
}


def act_words(act: Act) -> str:
    """Say an act of the audit trail; one that is not known is told by its code."""
    words = {name: act.detail.get(name) or "–" for name in ("like", "note", "reason")}
    words["n"] = act.detail.get("version", "?")
    if missed := act.detail.get("missed"):
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
