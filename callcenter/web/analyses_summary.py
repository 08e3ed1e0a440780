"""One sentence that says what an analysis found: the headline of its page and the name of its chart."""

from collections.abc import Callable, Mapping, Sequence

from flask_babel import gettext

from callcenter.reporting.analyses.asked import Finding, Line, Model
from callcenter.web.analyses_words import FIGURES, Names, group_words, label_words
from callcenter.web.counts import ngettext
from callcenter.web.formats import clock, number, percent, span


def summary_of(found: Finding, names: Names) -> str:
    """Return the sentence; of the largest group where people are split."""
    first = found.lines[0].group if found.lines else ""
    lines = [one for one in found.lines if one.group == first]
    rows = [one for one in lines if one.label is not None]
    every = next((one for one in lines if one.label is None), None)
    if not rows:
        return gettext("Nothing of this happened in the window.")
    said = _SENTENCES[found.question.model](found, rows, every, names)
    group = group_words(found.question.split, first, names)
    if found.question.model is Model.ATTRIBUTE or not group:
        return said
    return gettext("%(group)s: %(sentence)s", group=group, sentence=said)


def _figure(line: Line, code: str) -> float:
    return line.figures.get(code) or 0


def _funnel(found: Finding, rows: Sequence[Line], _every: Line | None, names: Names) -> str:
    worst = max(
        (one for one in rows if one.label != found.question.goal),
        key=lambda it: _figure(it, "lost"),
        default=rows[0],
    )
    return gettext(
        "%(lost)s of %(entered)s stopped at %(step)s, the most at any step.",
        lost=number(_figure(worst, "lost")),
        entered=number(_figure(worst, "entered")),
        step=label_words(found.question, worst, names),
    )


def _retention(_found: Finding, rows: Sequence[Line], every: Line | None, _names: Names) -> str:
    line = every or rows[0]
    if line.figures.get("day_1") is None and not any(one.figures.get("day_1") is not None for one in rows):
        return gettext("Everybody was first seen today: nobody can have come back on a later day yet.")
    return gettext(
        "%(share)s of %(people)s came back the day after they were first seen.",
        share=percent(line.figures.get("day_1")),
        people=number(_figure(line, "people")),
    )


def _distribution(found: Finding, rows: Sequence[Line], every: Line | None, names: Names) -> str:
    most = max(rows, key=lambda it: _figure(it, "people"))
    return gettext(
        "%(mean)s on average; most often %(n)s, by %(share)s of %(people)s.",
        mean=f"{_figure(every or most, 'mean'):.1f}",
        n=label_words(found.question, most, names),
        share=percent(most.figures.get("share"), 0),
        people=number(most.total),
    )


def _interval(_found: Finding, rows: Sequence[Line], every: Line | None, _names: Names) -> str:
    line = every or rows[-1]

    def took(code: str) -> str:
        seconds = _figure(line, code)
        return clock(seconds) if seconds < 3600 else span(seconds)

    return gettext(
        "Half of %(people)s took %(median)s at most, nine in ten %(p90)s.",
        people=number(_figure(line, "people")),
        median=took("median"),
        p90=took("p90"),
    )


def _path(found: Finding, rows: Sequence[Line], _every: Line | None, names: Names) -> str:
    after = [one for one in rows if (one.label or "").startswith("3|")]
    most = max(after or rows, key=lambda it: _figure(it, "people"))
    return gettext(
        "After %(step)s most often: %(path)s, %(share)s of %(all)s.",
        step=names.step(found.question.step),
        path=label_words(found.question, most, names).rpartition("→ ")[2],
        share=percent(most.figures.get("share"), 0),
        all=number(_figure(most, "all")),
    )


def _attribution(_found: Finding, rows: Sequence[Line], every: Line | None, _names: Names) -> str:
    conversions = _figure(every, "conversions") if every else 0
    alone = sum(_figure(one, "conversions") for one in rows if not one.label)
    return gettext(
        "%(alone)s of %(conversions)s conversions came without a call before them.",
        alone=number(alone),
        conversions=number(conversions),
    )


def _value(_found: Finding, rows: Sequence[Line], every: Line | None, _names: Names) -> str:
    line = every or rows[0]
    return gettext(
        "%(converted)s converted, worth %(value)s; %(repeated)s came again, worth %(more)s.",
        converted=number(_figure(line, "converted")),
        value=number(_figure(line, "value")),
        repeated=number(_figure(line, "repeated")),
        more=number(_figure(line, "repeat_value")),
    )


def _session(_found: Finding, rows: Sequence[Line], every: Line | None, _names: Names) -> str:
    line = every or rows[0]
    return gettext(
        "%(sessions)s sessions of %(people)s people, half of them over within %(median)s; %(share)s with an error.",
        sessions=number(_figure(line, "sessions")),
        people=number(_figure(line, "people")),
        median=clock(_figure(line, "median")),
        share=percent(line.figures.get("error_share")),
    )


def _attribute(found: Finding, rows: Sequence[Line], _every: Line | None, names: Names) -> str:
    known = [one for one in found.lines if one.label is not None and _figure(one, "people") >= 20] or list(
        rows
    )
    best = max(known, key=lambda it: it.figures.get("conversion") or 0)
    return gettext(
        "%(group)s converts most: %(share)s of %(people)s.",
        group=group_words(found.question.split, best.group, names) or str(FIGURES["people"]),
        share=percent(best.figures.get("conversion")),
        people=number(_figure(best, "people")),
    )


def _event(found: Finding, rows: Sequence[Line], every: Line | None, names: Names) -> str:
    most = max(rows, key=lambda it: _figure(it, "events"))
    return ngettext(
        "%(num)s event; most often %(what)s, %(n)s by %(people)s people.",
        "%(count)s events; most often %(what)s, %(n)s by %(people)s people.",
        round(_figure(every or most, "events")),
        count=number(_figure(every or most, "events")),
        what=label_words(found.question, most, names),
        n=number(_figure(most, "events")),
        people=number(_figure(most, "people")),
    )


_SENTENCES: Mapping[Model, Callable[[Finding, Sequence[Line], Line | None, Names], str]] = {
    Model.FUNNEL: _funnel,
    Model.RETENTION: _retention,
    Model.DISTRIBUTION: _distribution,
    Model.INTERVAL: _interval,
    Model.PATH: _path,
    Model.ATTRIBUTION: _attribution,
    Model.VALUE: _value,
    Model.SESSION: _session,
    Model.ATTRIBUTE: _attribute,
    Model.EVENT: _event,
}
