"""A version's back-tests in the viewer's words: the latest beside the one before, so that two waits compare."""

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any

from flask_babel import gettext
from sqlmodel import Session

from callcenter.backtest.asked import DAYS, is_under_way, runs_of
from callcenter.domain.durations import duration_text
from callcenter.journeys.queries import journeys_loaded
from callcenter.models import BackTestRun
from callcenter.triggers.queries import current_rules
from callcenter.web.bars import bar_label
from callcenter.web.edge import chosen
from callcenter.web.formats import day, number, of_base, percent
from callcenter.web.load_view import load_part
from callcenter.web.pages import back_tests as page

MOST_REASONS = 3


def back_test_part(
    session: Session, rule_key: str, version: int, now: datetime, note: str = ""
) -> page.BackTestPart:
    """Return the back-tests of a version as they stand; `note` says why none could be asked for."""
    url = f"/studio/rules/{rule_key}/versions/{version}/back-test"
    runs = runs_of(session, rule_key, version, limit=3)
    if note:
        return page.BackTestPart(url, "failed", DAYS, note)
    if not runs:
        return page.BackTestPart(url, "none", DAYS)
    latest = runs[0]
    if is_under_way(latest, now):
        return page.BackTestPart(
            url, "running", DAYS, asked_at=latest.asked_at, latest=_wait(latest.definition)
        )
    if not latest.figures:
        why = latest.error or gettext(
            "It did not end. Ask again; if that happens again, see the system's health."
        )
        return page.BackTestPart(url, "failed", DAYS, why)
    before = next((one for one in runs[1:] if one.figures), None)
    return _told(session, url, latest, before)


def _wait(definition: Mapping[str, Any]) -> str:
    return str(definition.get("after") or "0s")


def _told(session: Session, url: str, latest: BackTestRun, before: BackTestRun | None) -> page.BackTestPart:
    found = latest.figures
    names = _names(session)
    told = list(_figures(found, names))
    older = list(_figures(before.figures, names)) if before else []
    others = {label: said for label, said, _ in older}
    fullest = max(found["per_hour"], default=0) or 1
    return page.BackTestPart(
        url=url,
        state="done",
        days=found["days"],
        headline=_headline(found),
        latest=_wait_of(found),
        before=_wait_of(before.figures) if before else "",
        asked_at=latest.asked_at,
        rows=tuple(
            page.FigureRow(label, said, others.get(label, ("", "")), is_key) for label, said, is_key in told
        ),
        hours=tuple(
            page.HourBar(hour, fired, fired / fullest) for hour, fired in enumerate(found["per_hour"])
        ),
        load=load_part(found),
        samples=tuple(
            page.SampleRow(datetime.fromisoformat(at), f"/studio/people/{customer_id}")
            for customer_id, at in found["samples"]
        ),
    )


def _wait_of(found: Mapping[str, Any]) -> str:
    return duration_text(timedelta(seconds=found["after_s"]))


def _headline(found: Mapping[str, Any]) -> str:
    if not found["fired"]:
        return gettext("It would have fired for nobody.")
    return gettext(
        "It would have fired %(n)s times a day, for %(agents)s agents in the busiest hour.",
        n=_a_day(found["fired"], found),
        agents=number(found["agents"]),
    )


def _a_day(count: float, found: Mapping[str, Any]) -> str:
    a_day = count / found["days"]
    return number(round(a_day)) if a_day >= 10 else f"{a_day:.1f}"


def _names(session: Session) -> Mapping[str, str]:
    rules = current_rules(session, journeys_loaded(session))
    return {one.spec.key: chosen(one.spec.title, one.spec.key) for one in rules.all_current()}


def _figures(found: Mapping[str, Any], names: Mapping[str, str]) -> Iterator[tuple[str, page.Told, bool]]:
    """Label, figure and what stands below it; whether it is the one that is looked for."""
    fired, holdout = found["fired"], found["holdout"]
    all_days = gettext("%(n)s in %(days)s days", n=number(fired), days=found["days"])
    yield gettext("Fires a day"), (_a_day(fired, found), all_days), False
    yield gettext("Held out"), (_a_day(fired * holdout, found), percent(holdout, 0)), False
    reasons = sorted(found["reasons"].items(), key=lambda one: -one[1])[:MOST_REASONS]
    why = ", ".join(f"{bar_label(reason)} {number(count)}" for reason, count in reasons)
    yield gettext("Stopped by screening"), (_a_day(found["barred"], found), why), False
    hours = gettext("until calling hours, for example")
    yield gettext("Would wait"), (_a_day(found["waiting"], found), hours if found["waiting"] else ""), False
    calls = (found["allowed"] + found["waiting"]) * (1 - holdout)
    yield gettext("Calls a day"), (_a_day(calls, found), gettext("not held out, not stopped")), True
    busiest = ""
    if found["busiest_at"]:
        at = datetime.fromisoformat(found["busiest_at"])  # in the zone of whoever asked, as the hours below
        moment = f"{day(at.date())} {at:%H}:00"
        busiest = gettext("%(n)s firings on %(at)s", n=number(found["busiest"]), at=moment)
    yield gettext("Agents in the busiest hour"), (number(found["agents"]), busiest), True
    share = found["back"] / found["back_of"] if found["back_of"] else None
    back = (percent(share) if share is not None else "–", of_base(found["back"], found["back_of"]))
    yield gettext("Back within an hour anyway"), back, False
    also = ", ".join(f"{names.get(rule, rule)} {number(count)}" for rule, count in found["also"])
    first = number(found["also"][0][1]) if found["also"] else "0"
    yield gettext("Also fired by another live rule"), (first, also), False
    if found["fired_live"] is not None:
        yield gettext("The live version, a day"), (_a_day(found["fired_live"], found), ""), False
