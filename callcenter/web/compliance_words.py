"""Codes of the compliance pages in words: purposes, scopes, points, changes, acts, and the figures of packs."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

from flask_babel import get_locale, gettext, lazy_pgettext
from flask_babel import lazy_gettext as _l

from callcenter.compliance.calendars import Calendar
from callcenter.domain.contact import FOR_GOOD, CallingHours, Cap, Registry, Window
from callcenter.web.counts import ngettext
from callcenter.web.formats import number, percent

WORDS: Mapping[str, Mapping[str, Any]] = {
    "purpose": {
        "service": _l("Service care"),
        "marketing": _l("Marketing"),
        "collection": _l("Collection"),
    },
    "kind": {
        "do_not_call": _l("Do not call"),
        "refusal": _l("Refused an offer"),
        "objection": _l("Objects to marketing"),
        "deceased": _l("Deceased"),
        "under_age": _l("Under age"),
        "complaint": _l("Complaint open"),
    },
    "scope": {
        "global": _l("Every call"),
        "purpose": _l("One purpose"),
        "campaign": _l("One campaign"),
        "number": _l("This number"),
    },
    "point": {
        "opening": _l("before opening a task"),
        "claim": _l("before the offer"),
        "dial": _l("at the dial"),
        "callback": _l("for a callback"),
    },
    "change": {
        "pack_version": _l("New pack version"),
        "lift_suppression": _l("Lift a bar"),
        "give_consent": _l("Keep a consent"),
        "retire_list": _l("Retire a list"),
    },
    "state": {
        "waiting": _l("Waiting"),
        "approved": _l("Approved"),
        "refused": lazy_pgettext("change", "Refused"),
    },
    "act": {"given": _l("Given"), "withdrawn": _l("Withdrawn")},
    "number_kind": {
        "mobile": _l("mobile"),
        "fixed": _l("landline"),
        "fixed_or_mobile": _l("landline or mobile"),
        "voip": _l("internet telephony"),
        "personal": _l("personal number"),
        "toll_free": _l("toll-free"),
        "shared_cost": _l("shared cost"),
        "premium": _l("premium rate"),
        "company": _l("company number"),
        "pager": _l("pager"),
        "voicemail": _l("voicemail"),
    },
    "figure": {
        "calling_hours": lazy_pgettext("figure", "Calling hours"),
        "caps": lazy_pgettext("figure", "Cap"),
        "minimum_gap": lazy_pgettext("figure", "Minimum gap"),
        "conversation_pause": lazy_pgettext("figure", "Pause after a conversation"),
        "refusal_stop": lazy_pgettext("figure", "Stop after a refusal"),
        "consent": lazy_pgettext("figure", "Consent"),
        "registries": lazy_pgettext("figure", "Public registry"),
        "barred_kinds": lazy_pgettext("figure", "Barred kinds of number"),
        "barred_regions": lazy_pgettext("figure", "Barred regions"),
        "abandonment": lazy_pgettext("figure", "Abandonment"),
    },
}
"""Words by family: what a code is called depends on what it is of."""


def word(family: str, code: str | None) -> str:
    """A code in the viewer's words; an unknown one readable."""
    if not code:
        return ""
    known = WORDS[family].get(code)
    return str(known) if known is not None else code.replace("_", " ").capitalize()


def listed(names: Sequence[str]) -> str:
    """Several names one after the other."""
    return gettext(", ").join(names)


def length(span: timedelta) -> str:
    """A length of time in its largest whole unit: 2 h, 30 days."""
    seconds = int(span.total_seconds())
    if seconds and seconds % 86_400 == 0 and seconds != 86_400:
        return ngettext("%(num)s day", "%(num)s days", seconds // 86_400)
    if seconds and seconds % 3600 == 0:
        return gettext("%(n)s h", n=seconds // 3600)
    if seconds and seconds % 60 == 0:
        return gettext("%(n)s min", n=seconds // 60)
    return gettext("%(s)s s", s=seconds)


def figure_words(name: str, value: Any) -> str:
    """What one figure of a pack says."""
    if isinstance(value, CallingHours):
        return hours_words(value)
    if isinstance(value, Cap):
        return ngettext(
            "at most %(num)s call in any %(span)s",
            "at most %(num)s calls in any %(span)s",
            value.calls,
            span=length(value.window),
        )
    if isinstance(value, Registry):
        return gettext("%(key)s, in a copy no older than %(span)s", key=value.key, span=length(value.max_age))
    if isinstance(value, bool):
        return gettext("needed") if value else gettext("not needed")
    if isinstance(value, timedelta):
        if name == "refusal_stop" and value == FOR_GOOD:
            return gettext("for good")
        return length(value) if value else gettext("none")
    if isinstance(value, frozenset):
        names = [word("number_kind", one) if name == "barred_kinds" else str(one) for one in sorted(value)]
        return listed(names)
    limit, span = value
    return gettext(
        "at most %(share)s of live answers; a waiting agent for %(span)s after one",
        share=percent(limit, 0 if round(limit * 100, 6).is_integer() else 1),
        span=length(span),
    )


_DAYS = (_l("Mon"), _l("Tue"), _l("Wed"), _l("Thu"), _l("Fri"), _l("Sat"), _l("Sun"))


def hours_words(hours: CallingHours) -> str:
    """Calling hours: every day 09:00–20:00; closed on holidays of FR."""
    runs: list[tuple[int, int]] = []
    for day, windows in enumerate(hours.by_weekday):
        if runs and windows == hours.by_weekday[runs[-1][0]]:
            runs[-1] = (runs[-1][0], day)
        else:
            runs.append((day, day))
    said = listed([f"{_days(*run)} {_windows(hours.by_weekday[run[0]])}" for run in runs])
    if hours.is_holiday is not None:
        said += gettext(
            "; on holidays%(whose)s %(hours)s",
            whose=_whose(hours.is_holiday),
            hours=_windows(hours.on_holidays),
        )
    if hours.is_workday is not None:
        said += gettext("; weekends that are worked%(whose)s as Monday", whose=_whose(hours.is_workday))
    return said


def _whose(tells: object) -> str:
    calendar = getattr(tells, "__self__", None)
    return gettext(" of %(country)s", country=str(calendar)) if isinstance(calendar, Calendar) else ""


def _days(first: int, last: int) -> str:
    if (first, last) == (0, 6):
        return gettext("every day")
    return str(_DAYS[first]) if first == last else f"{_DAYS[first]}–{_DAYS[last]}"


def _windows(windows: Sequence[Window]) -> str:
    return " ".join(
        f"{opens:%H:%M}–{'24:00' if closes.hour == 23 and closes.minute == 59 else f'{closes:%H:%M}'}"
        for opens, closes in windows
    ) or gettext("closed")


def scope_words(scope: str, purpose: str | None, campaign: str | None, titles: Mapping[str, str]) -> str:
    """How far an entry of the suppression ledger reaches."""
    if scope == "campaign" and campaign:
        return gettext("Campaign %(campaign)s", campaign=titles.get(campaign, campaign))
    if scope == "purpose" and purpose:
        return gettext("Calls for %(purpose)s", purpose=word("purpose", purpose))
    return word("scope", scope)


def pack_title(title: Sequence[tuple[str, str]], otherwise: str) -> str:
    """A pack's title in the viewer's language."""
    titles, locale = dict(title), get_locale()
    return titles.get(locale.language if locale else "en") or titles.get("en") or otherwise


def counted(many: int) -> str:
    """A count with its thousands separated."""
    return number(many)
