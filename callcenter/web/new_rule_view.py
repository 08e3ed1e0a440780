"""The page on which a new rule begins: its name, its title, and where it counts."""

from collections.abc import Mapping
from typing import Any

from flask_babel import gettext
from sqlmodel import Session

from callcenter.journeys.queries import journeys_loaded
from callcenter.web.edge import chosen, frame, language
from callcenter.web.pages import rules as page
from callcenter.web.words import step_words

RESERVED = frozenset({"new", "state"})
"""Names that are addresses already."""


def new_rule_page(
    session: Session, values: Mapping[str, str], problems: Mapping[str, str] | None = None
) -> page.NewRulePage:
    """Return the form, filled in with what was typed or proposed."""
    places = tuple(
        page.Option(
            f"{journey.id}/{step.id}",
            step_words(journey, step.id, language()),
            chosen(journey.title, journey.id),
        )
        for journey in journeys_loaded(session).values()
        for step in journey.steps
        if step.id != journey.goal
    )
    return page.NewRulePage(frame("rules"), places, values, problems or {})


def first_definition(values: Mapping[str, str]) -> dict[str, Any]:
    """What a new rule says before anybody has written more: quiet for five minutes on its step."""
    journey, _, step = values.get("place", "").partition("/")
    titles = {name: values[f"title.{name}"] for name in ("en", "zh") if values.get(f"title.{name}")}
    key = values.get("key", "")
    return {
        "rule": key,
        "title": titles or {"en": key},
        "journey": journey,
        "step": step,
        "preset": "gone_quiet",
        "after": "5m",
    }


def problem_of(message: str) -> tuple[str, str]:
    """The field a refusal belongs to, and what is wrong there."""
    if message.startswith("rule:"):
        return "key", gettext("Use lower-case letters, digits and -, up to 64 of them.")
    if message.startswith(("journey:", "step:")):
        return "place", gettext("Choose a step.")
    return "key", message
