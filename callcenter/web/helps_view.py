"""What calls about a step or an error showed: one line for the agent, a table for the studio, and as CSV."""

import csv
import io
from collections.abc import Iterator, Mapping
from typing import Any

from sqlmodel import Session

from callcenter.choosing import LOOKS_BACK
from callcenter.domain.journey import JourneyDefinition
from callcenter.journeys.queries import journeys_loaded
from callcenter.learning.associations import FEWEST_CALLS, FEWEST_OF_BRANCH
from callcenter.learning.help_queries import all_what_helps, what_helps
from callcenter.models import CallTask, WhatHelps
from callcenter.web.edge import chosen, frame, language, zone
from callcenter.web.files import harmless
from callcenter.web.formats import label
from callcenter.web.pages import script_results as page
from callcenter.web.pages.frame import ShareRow
from callcenter.web.words import error_words, step_words
from scripts_library.catalog import Catalog
from scripts_library.model import UnknownScript

MOST_ON_THE_CARD = 2
"""Causes, and branches, an agent is told of: one line."""


def helps_for(
    session: Session, catalog: Catalog, task: CallTask, journey: JourneyDefinition
) -> page.Helps | None:
    """Return what earlier calls like this one showed; None while too few have been made.

    For the error with its reason, else the error, else the step: a look at rows the night has made ready.
    """
    error, reason = task.facts.get("error"), task.facts.get("error_reason")
    errors = [*([f"{error}:{reason}"] if error and reason else []), *([str(error)] if error else []), ""]
    found = what_helps(session, task.journey, task.step, errors)
    return _helps(found, catalog, journey, MOST_ON_THE_CARD) if found else None


def what_helps_page(session: Session, catalog: Catalog) -> page.WhatHelpsPage:
    """Return everything that is known, journey by journey, most calls first."""
    journeys = journeys_loaded(session)
    rows = all_what_helps(session)
    newest = max((one.made_at for one in rows), default=None)
    return page.WhatHelpsPage(
        frame=frame("scripts"),
        days=LOOKS_BACK.days,
        fewest_calls=FEWEST_CALLS,
        fewest_of_branch=FEWEST_OF_BRANCH,
        rows=tuple(_row(one, catalog, journeys) for one in rows),
        made_on=newest.astimezone(zone()).date() if newest else None,
    )


def what_helps_csv(session: Session, catalog: Catalog) -> bytes:
    """Return the same as CSV in UTF-8, a line for each cause and each branch."""
    out = io.StringIO()
    csv.writer(out).writerows(_table(session, catalog))
    return out.getvalue().encode("utf-8-sig")


def _row(one: WhatHelps, catalog: Catalog, journeys: Mapping[str, JourneyDefinition]) -> page.HelpsRow:
    journey = journeys.get(one.journey)
    return page.HelpsRow(
        journey=chosen(journey.title, journey.id) if journey else one.journey,
        step=step_words(journey, one.step, language()),
        is_whole_step=not one.error,
        helps=_helps(one, catalog, journey),
    )


def _helps(
    one: WhatHelps, catalog: Catalog, journey: JourneyDefinition | None, most: int | None = None
) -> page.Helps:
    error, _, reason = one.error.partition(":")
    place = step_words(journey, one.step, language())
    if error:
        place = error_words(journey, error, reason or None, language())
    branches = [seen for raw in one.branches if (seen := _branch(raw, catalog))]
    causes = [ShareRow(label(raw["cause"]), raw["count"], one.calls_with_cause) for raw in one.causes]
    return page.Helps(place, one.calls, tuple(causes[:most]), tuple(branches[:most]))


def _branch(raw: Mapping[str, Any], catalog: Catalog) -> page.BranchSeen | None:
    """A branch in words; None when the library no longer has it."""
    try:
        script = catalog.get(raw["script_id"], language())
    except UnknownScript:
        return None
    for node in script.nodes:
        for branch in node.branches:
            if (node.id, f"{branch.digit}-{branch.goto}") == (raw["node"], raw["branch"]):
                return page.BranchSeen(
                    script.title, branch.label.text, raw["calls"], raw["went_on"], raw["low"], raw["high"]
                )
    return None


def _table(session: Session, catalog: Catalog) -> Iterator[list[object]]:
    yield ["journey", "step", "error", "calls", "kind", "script", "label", "count", "of", "low", "high"]
    for one in all_what_helps(session):
        place = [one.journey, one.step, harmless(one.error), one.calls]
        for raw in one.causes:
            yield [*place, "cause", "", raw["cause"], raw["count"], one.calls_with_cause, "", ""]
        for raw in one.branches:
            seen = _branch(raw, catalog)
            words = harmless(seen.label) if seen else raw["branch"]
            yield [
                *place, "branch", raw["script_id"], words, raw["went_on"], raw["calls"], raw["low"], raw["high"],
            ]  # fmt: skip
