"""Whether the agents on duty can carry what a back-test found, in the viewer's words."""

from collections.abc import Mapping
from typing import Any

from flask_babel import gettext

from callcenter.domain.load import MOST_BUSY, HourLoad, spans_of
from callcenter.web.counts import ngettext
from callcenter.web.formats import NO_FIGURE, number, percent
from callcenter.web.pages import back_tests as page


def load_part(found: Mapping[str, Any]) -> page.LoadPart | None:
    """Return the load of a back-test's figures; None for one that was played before loads were told."""
    if "load" not in found or not found["fired"]:
        return None
    if found["load"] is None:
        return page.LoadPart(
            gettext("Whether your agents can carry it is not known yet."),
            gettext("No agent has been on duty for a whole day. Play it again tomorrow."),
        )
    load = found["load"]
    hours = [HourLoad(**one) for one in load["hours"]]
    short = [one for one in hours if one.short]
    return page.LoadPart(
        headline=_headline(short),
        note=_note(load),
        bars=tuple(
            page.LoadBar(one.hour, one.busy, one.added, one.on_duty, one.short, _words(one)) for one in hours
        ),
        rows=tuple(
            (f"{one.hour:02d}:00", _few(one.calls), _few(one.on_duty), _share(one))
            for one in hours
            if one.calls >= 0.05 or one.on_duty >= 0.05
        ),
        most_short=max((one.short for one in short), default=0),
    )


def _headline(short: list[HourLoad]) -> str:
    if not short:
        return gettext("Fits your agents")
    spans = spans_of([one.hour for one in short])
    told = gettext(", ").join(f"{first:02d}:00–{end:02d}:00" for first, end in spans)
    return gettext("Fits your agents, except %(hours)s", hours=told)


def _note(load: Mapping[str, Any]) -> str:
    minutes = _few(load["minutes"])
    rests = ngettext(
        "Agents on duty: at work or ready for it, the average of the last day.",
        "Agents on duty: at work or ready for it, the average of the last %(num)s days.",
        load["days"],
    )
    takes = (
        gettext("A call is taken to need %(n)s minutes, for none has been made in these days.", n=minutes)
        if load["is_assumed"]
        else gettext("A call took %(n)s minutes of an agent's time in these days.", n=minutes)
    )
    most = gettext("More than %(share)s of their time is too much.", share=percent(MOST_BUSY, 0))
    return f"{rests} {takes} {most}"


def _words(one: HourLoad) -> str:
    told = gettext(
        "At %(hour)s: %(calls)s calls an hour, %(agents)s agents on duty, %(share)s of their time",
        hour=f"{one.hour:02d}:00",
        calls=_few(one.calls),
        agents=_few(one.on_duty),
        share=_share(one),
    )
    if not one.short:
        return told
    return gettext("%(told)s; %(n)s short", told=told, n=number(one.short))


def _share(one: HourLoad) -> str:
    return percent(one.share, 0) if one.share is not None else NO_FIGURE


def _few(value: float) -> str:
    """A small number with one digit, a larger one without."""
    return number(round(value)) if value >= 10 else f"{value:.1f}"
