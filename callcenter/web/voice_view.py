"""The voice of the customer in the viewer's words: causes by step, notes, and the same as a table to be kept."""

import csv
import io
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlencode

from flask_babel import gettext
from sqlmodel import Session

from callcenter.domain.enums import Cause
from callcenter.domain.journey import JourneyDefinition
from callcenter.journeys.queries import journeys_loaded
from callcenter.voice.causes import StepCauses, causes_by_step, notes_of_step, notes_per_step
from callcenter.voice.likeness import without_names
from callcenter.voice.policy import EARLIER_WINDOWS, SHOWN_NOTES
from callcenter.web.counts import ngettext
from callcenter.web.edge import chosen, frame, language, zone
from callcenter.web.files import harmless
from callcenter.web.formats import label
from callcenter.web.pages import voice as page
from callcenter.web.pages.studio import Choice
from callcenter.web.words import step_words

WINDOWS = (7, 28, 90)
USUAL_DAYS = 28
USUAL_JOURNEY = "loan"


def tabs(here: str) -> tuple[Choice, ...]:
    """Return the three pages of the voice of the customer."""
    return (
        Choice(gettext("Causes"), "/studio/voice", here == "causes"),
        Choice(gettext("Suggestions"), "/studio/voice/suggestions", here == "suggestions"),
        Choice(gettext("Surveys"), "/studio/voice/surveys", here == "surveys"),
    )


def days_of(raw: str | None) -> int:
    """Read how many days are shown; the usual ones for anything else."""
    return int(raw) if raw in [str(one) for one in WINDOWS] else USUAL_DAYS


def windows(path: str, query: Mapping[str, str], days: int) -> tuple[Choice, ...]:
    """Return the spans to choose from."""
    return tuple(
        Choice(
            ngettext("%(num)s day", "%(num)s days", one),
            f"{path}?{urlencode({**query, 'days': one})}",
            one == days,
        )
        for one in WINDOWS
    )


def since_of(days: int, now: datetime) -> datetime:
    """The beginning of the viewer's day so many days ago, today counted."""
    midnight = now.astimezone(zone()).replace(hour=0, minute=0, second=0, microsecond=0)
    return midnight - timedelta(days=days - 1)


def voice_page(session: Session, asked: Mapping[str, str], now: datetime) -> page.VoicePage:
    """Return causes by step of a journey, and the notes of one step; `journey`, `days`, `step`, `cause` choose."""
    days, since = days_of(asked.get("days")), since_of(days_of(asked.get("days")), now)
    journeys = journeys_loaded(session)
    journey = _journey(journeys, asked.get("journey"))
    query = {"days": str(days)} | ({"journey": journey.id} if journey else {})
    shown: dict[str, Any] = {}
    if journey:
        shown = _of_journey(session, journey, query, asked, since, now + timedelta(microseconds=1))
    return page.VoicePage(
        frame=frame("voice"),
        tabs=tabs("causes"),
        journeys=tuple(
            Choice(
                chosen(one.title, one.id),
                f"/studio/voice?{urlencode({'journey': one.id, 'days': days})}",
                journey is not None and one.id == journey.id,
            )
            for one in journeys.values()
        ),
        windows=windows("/studio/voice", query, days),
        journey=chosen(journey.title, journey.id) if journey else gettext("No journey"),
        from_on=since.date(),
        to_on=now.astimezone(zone()).date(),
        window_days=days,
        earlier_windows=EARLIER_WINDOWS,
        query=urlencode(query),
        causes=tuple(one.value for one in Cause),
        **shown,
    )


def _journey(journeys: Mapping[str, JourneyDefinition], wanted: str | None) -> JourneyDefinition | None:
    usual = USUAL_JOURNEY if USUAL_JOURNEY in journeys else min(journeys, default="")
    return journeys.get(wanted or "") or journeys.get(usual)


def _of_journey(
    session: Session,
    journey: JourneyDefinition,
    query: Mapping[str, str],
    asked: Mapping[str, str],
    since: datetime,
    until: datetime,
) -> dict[str, Any]:
    found = causes_by_step(session, journey.id, since, until, EARLIER_WINDOWS)
    notes = notes_per_step(session, journey.id, since, until)
    steps = [one for one in journey.order if one in found and found[one].reached]
    step = asked.get("step") if asked.get("step") in steps else next(iter(_most_told(found, steps)), None)
    rows = tuple(_row(journey, found[one], notes.get(one, 0), query, step) for one in steps)
    row = next((one for one in rows if one.is_chosen), None)
    if row is None or step is None:
        return {"rows": rows}
    cause = Cause(asked["cause"]) if asked.get("cause") in set(Cause) else None
    shown = notes_of_step(session, journey.id, step, since, until, SHOWN_NOTES, cause)
    return {
        "rows": rows,
        "chosen": row,
        "filters": tuple(_filters(query, step, cause)),
        "notes": tuple(
            page.NoteRow(one.at, without_names(one.text, one.name), tuple(c.value for c in one.causes))
            for one in shown
        ),
        "more_notes": max(0, row.notes - len(shown)) if cause is None else 0,
    }


def _most_told(found: Mapping[str, StepCauses], steps: Sequence[str]) -> list[str]:
    return sorted(steps, key=lambda one: -found[one].told)


def _filters(query: Mapping[str, str], step: str, cause: Cause | None) -> Iterator[Choice]:
    here = {**query, "step": step}
    yield Choice(gettext("All"), f"/studio/voice?{urlencode(here)}", cause is None)
    for one in Cause:
        yield Choice(
            label(one.value), f"/studio/voice?{urlencode({**here, 'cause': one.value})}", one is cause
        )


def _row(
    journey: JourneyDefinition, found: StepCauses, notes: int, query: Mapping[str, str], step: str | None
) -> page.CauseRow:
    return page.CauseRow(
        step=found.step,
        label=step_words(journey, found.step, language()),
        href=f"/studio/voice?{urlencode({**query, 'step': found.step})}",
        reached=found.reached,
        told=found.told,
        earlier=found.earlier_reached,
        notes=notes,
        cells=tuple(
            page.CauseCell(one.value, found.causes[one], found.share(one), found.change(one)) for one in Cause
        ),
        is_chosen=found.step == step,
    )


def causes_csv(shown: page.VoicePage) -> bytes:
    """Return the causes by step as CSV: counts with what they are of."""
    head = [
        gettext("Step"),
        gettext("Spoken with"),
        gettext("Named a cause"),
        *(label(one) for one in shown.causes),
        gettext("Notes"),
        gettext("Spoken with, weeks before"),
    ]
    rows = [
        [row.label, row.reached, row.told, *(one.count for one in row.cells), row.notes, row.earlier]
        for row in shown.rows
    ]
    return as_csv([head, *rows])


def as_csv(rows: Iterable[Iterable[Any]]) -> bytes:
    """Return rows as CSV in UTF-8, with the mark by which spreadsheets know it; no text begins a formula."""
    out = io.StringIO()
    harmed = ([harmless(one) if isinstance(one, str) else one for one in row] for row in rows)
    csv.writer(out).writerows(harmed)
    return out.getvalue().encode("utf-8-sig")
