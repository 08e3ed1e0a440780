"""An analysis in the viewer's words: its sentence, its table with denominators, and the same as a file."""

import json
from collections.abc import Iterator, Mapping
from datetime import datetime
from urllib.parse import urlencode

from flask_babel import gettext
from sqlmodel import Session

from callcenter.journeys.queries import journeys_loaded
from callcenter.learning.queries import counts_per_rule
from callcenter.reporting.analyses.asked import Figure, Finding, Kind, Line, Model, Split
from callcenter.reporting.analyses.recipes import RECIPES
from callcenter.reporting.analyses.run import Freshness, analyse, freshness
from callcenter.triggers.queries import current_rules
from callcenter.web.analyses_asked import PATH, Asked, form_fields, model_choices, names_of, window_choices
from callcenter.web.analyses_summary import summary_of
from callcenter.web.analyses_words import (
    FIGURES,
    LABEL_TITLES,
    QUESTIONS,
    SPLITS,
    Names,
    group_words,
    label_words,
    left_out_words,
    notes_of,
    path_parts,
    sampled_words,
)
from callcenter.web.counts import ngettext
from callcenter.web.edge import frame
from callcenter.web.effects_view import effect_of, verdict_code
from callcenter.web.files import Value, harmless
from callcenter.web.formats import NO_FIGURE, clock, day, label, number, of_base, percent, signed, span
from callcenter.web.pages import analyses as page
from scripts_library.catalog import Catalog

_CHARTS: Mapping[Model, page.Chart] = {
    Model.FUNNEL: page.Chart("bars", "entered"),
    Model.RETENTION: page.Chart("across", "day_1 day_2 day_3 day_5 day_7 day_14 day_21"),
    Model.DISTRIBUTION: page.Chart("bars", "share"),
    Model.INTERVAL: page.Chart("lines", "within"),
    Model.PATH: page.Chart("sankey", "people"),
    Model.ATTRIBUTION: page.Chart("rows", "first last linear"),
    Model.VALUE: page.Chart("bars", "value"),
    Model.SESSION: page.Chart("bars", "sessions"),
    Model.ATTRIBUTE: page.Chart("bars", "conversion"),
    Model.EVENT: page.Chart("rows", "events"),
}
_EFFECT = "effect"


def analysis_page(session: Session, asked: Asked, catalog: Catalog, now: datetime) -> page.AnalysesPage:
    """Return the analysis that is asked for."""
    names = names_of(session, asked.journey, catalog)
    found = analyse(session, asked.question, beside=asked.beside)
    fresh = freshness(session, now)
    effects = _effects(session, asked)
    groups = tuple(dict.fromkeys(line.group for line in found.lines))
    if asked.question.only is not None and asked.question.only not in groups:
        groups = (*groups, asked.question.only)
    question = asked.question
    is_by_group = question.model is Model.ATTRIBUTE
    has_groups = question.split is not Split.NONE and not is_by_group
    rows = tuple(
        _row(asked, found, line, names, effects) for line in found.lines if _is_told(question.model, line)
    )
    return page.AnalysesPage(
        frame=frame("analyses"),
        title=str(QUESTIONS[question.model]),
        models=model_choices(asked),
        windows=window_choices(asked),
        fields=form_fields(session, asked, names, groups),
        hidden=(("model", question.model.value), ("days", str(asked.days))),
        beside=asked.is_beside if RECIPES[question.model].compared else None,
        query=asked.query(),
        summary=summary_of(found, names),
        counted=_counted(found),
        left_out=left_out_words(found.complete_since, found.asked_beside - found.beside),
        fresh=_fresh(fresh, now),
        notes=notes_of(question),
        columns=tuple(_columns(found, effects)),
        rows=rows,
        chart=_CHARTS[question.model],
        has_groups=has_groups,
        group_title=str(SPLITS[question.split]).capitalize() if has_groups else "",
        label_title=str(SPLITS[question.split]).capitalize()
        if is_by_group
        else str(LABEL_TITLES[question.model]),
        more_groups=_more_groups(found, len(groups)),
        name=f"{question.model.value}-{question.journey}-{question.end.date()}",
        step_href=_rule_href(asked),
    )


def _is_told(model: Model, line: Line) -> bool:
    """A group's sum is left out where its only row says the same."""
    return line.label is not None or model is not Model.ATTRIBUTE


def _rule_href(asked: Asked) -> str | None:
    if asked.question.model is not Model.PATH:
        return None
    return "/studio/rules/new?" + urlencode({"journey": asked.question.journey, "step": asked.question.step})


def _counted(found: Finding) -> str:
    question, sample = found.question, found.question.sample
    people = found.total
    said = gettext(
        "%(people)s counted, %(since)s to %(until)s.",
        people=ngettext("%(n)s person", "%(n)s people", people, n=number(people)),
        since=day(question.start),
        until=day(question.end),
    )
    return f"{said} {sampled_words(sample)}".strip()


def _fresh(fresh: Freshness, now: datetime) -> str:
    if fresh.newest_at is None or fresh.lag_seconds is None:
        return gettext("No event has come in yet.")
    return gettext(
        "%(lag)s s behind what customers do (median of the last 100 events, from happening to counting). Whatever"
        " is stored counts; the newest event came in %(ago)s ago.",
        ago=span((now - fresh.newest_at).total_seconds()),
        lag=f"{fresh.lag_seconds:.1f}",
    )


def _more_groups(found: Finding, shown: int) -> str:
    more = found.groups - shown
    return (
        ngettext("%(num)s smaller group is not shown.", "%(num)s smaller groups are not shown.", more)
        if more > 0
        else ""
    )


# -- the table --------------------------------------------------------------------------------------------


def _figures(found: Finding) -> list[Figure]:
    """Columns that have anything to say: days of retention the window cannot hold are left out."""
    return [
        one
        for one in found.figures
        if not one.code.startswith("day_")
        or any(line.figures.get(one.code) is not None for line in found.lines)
    ]


def _columns(found: Finding, effects: Mapping[str, page.Cell]) -> Iterator[page.Column]:
    for one in _figures(found):
        yield page.Column(one.code, str(FIGURES[one.code]))
        if found.compared == one.code:
            yield page.Column("usual", gettext("Usual"))
    if effects:
        yield page.Column(_EFFECT, gettext("Incremental effect"))


def _row(
    asked: Asked, found: Finding, line: Line, names: Names, effects: Mapping[str, page.Cell]
) -> page.Row:
    question = found.question
    cells: list[page.Cell] = []
    for place, one in enumerate(_figures(found)):
        cells.append(_cell(asked, found, line, one, is_first=place == 0))
        if found.compared == one.code:
            cells.append(_usual(line, one))
    if effects:
        cells.append(effects.get(line.label or "", page.Cell(_EFFECT, "")))
    link = None
    if question.model is Model.PATH and line.label:
        link = json.dumps(path_parts(line.label, names), ensure_ascii=False)
    group, said = group_words(question.split, line.group, names), label_words(question, line, names)
    if question.model is Model.ATTRIBUTE:
        group, said = "", group
    return page.Row(
        said,
        group,
        tuple(cells),
        is_sum=line.label is None,
        link=link,
    )


def _cell(asked: Asked, found: Finding, line: Line, one: Figure, *, is_first: bool) -> page.Cell:
    value = line.figures.get(one.code)
    href = None
    if one.kind is Kind.COUNT and value and (is_first or RECIPES[found.question.model].part == one.code):
        href = _people_href(asked, line, part=not is_first)
    base, tone = "", ""
    if one.part:
        part, whole = line.figures.get(one.part), line.figures.get(one.whole)
        base = of_base(None if part is None else round(part), None if whole is None else round(whole))
        if (
            found.compared == one.code == "loss"
            and line.usual is not None
            and (value or 0) > line.usual * 1.1
        ):
            tone = "warn"
    return page.Cell(one.code, shown(one.kind, value), value, base if value is not None else "", href, tone)


def shown(kind: Kind, value: float | None) -> str:
    """A figure in words."""
    if value is None:
        return NO_FIGURE
    if kind is Kind.SHARE:
        return percent(value)
    if kind is Kind.SECONDS:
        return clock(value) if value < 3600 else span(value)
    return f"{value:.2f}" if kind is Kind.RATIO else number(value)


def _usual(line: Line, one: Figure) -> page.Cell:
    return page.Cell("usual", shown(one.kind, line.usual) if line.usual is not None else "", line.usual)


def _people_href(asked: Asked, line: Line, *, part: bool) -> str:
    told = {"of": line.group, "part": "1" if part else ""}
    if line.label is not None:
        told["row"] = line.label
    return f"{PATH}/people?{asked.query()}&{urlencode(told)}"


# -- the true effect beside the touches -------------------------------------------------------------------


def _effects(session: Session, asked: Asked) -> dict[str, page.Cell]:
    """What calling changed, by rule, beside what it merely came before; none where no rule is told apart."""
    if asked.question.model is not Model.ATTRIBUTION or asked.question.measure != "rule":
        return {}
    rules = current_rules(session, journeys_loaded(session))
    told = {"": page.Cell(_EFFECT, "")}
    for key, counts in counts_per_rule(session).items():
        spec = rules.spec(key)
        if spec is None:
            continue
        effect = effect_of(counts, spec.holdout)
        words = label(verdict_code(effect.verdict))
        if effect.difference is None:
            told[key] = page.Cell(_EFFECT, gettext("hidden"), None, words)
            continue
        one = effect.difference
        text = gettext("%(points)s points", points=signed(one.point * 100))
        base = f"{signed(one.low * 100)} – {signed(one.high * 100)} · {words}"
        told[key] = page.Cell(_EFFECT, text, one.point, base)
    return told


# -- as a table to be kept --------------------------------------------------------------------------------


def as_table(shown_page: page.AnalysesPage) -> Iterator[list[Value]]:
    """Return the rows with their denominators, the head first."""
    heads = [shown_page.group_title] if shown_page.has_groups else []
    heads.append(shown_page.label_title)
    for one in shown_page.columns:
        heads += (
            [one.label, gettext("%(figure)s, of", figure=one.label)]
            if _has_base(shown_page, one.code)
            else [one.label]
        )
    yield [harmless(one) for one in heads]
    for row in shown_page.rows:
        cells: list[Value] = [harmless(row.group)] if shown_page.has_groups else []
        cells.append(harmless(row.label))
        for cell in row.cells:
            value: Value = None if cell.value is None else round(cell.value, 6)
            if isinstance(value, float) and value.is_integer() and not cell.base:
                value = int(value)
            cells += [value, harmless(cell.base)] if _has_base(shown_page, cell.code) else [value]
        yield cells


def _has_base(shown_page: page.AnalysesPage, code: str) -> bool:
    return any(cell.base for row in shown_page.rows for cell in row.cells if cell.code == code)
