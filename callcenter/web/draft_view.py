"""The page of a draft: its form as typed, what that says in words, and what is wrong with it."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from flask import request
from flask_babel import gettext
from sqlmodel import Session

from callcenter.domain.durations import parse_duration
from callcenter.domain.enums import Preset, Purpose
from callcenter.domain.fields import (
    Field,
    FieldSource,
    FieldType,
    Operator,
    Takes,
    event_fields,
    visit_fields,
)
from callcenter.domain.journey import JourneyDefinition
from callcenter.domain.needs import LEVELS
from callcenter.errors import BadInput, NotFound
from callcenter.journeys.queries import journeys_loaded
from callcenter.models import TriggerRule
from callcenter.reporting.acts import last_acts
from callcenter.reporting.funnel import Span
from callcenter.reporting.recovery import recovery_of_step
from callcenter.routing.queries import skills, teams
from callcenter.rule_needs import needs_missing
from callcenter.triggers.policy import read_rule
from callcenter.triggers.queries import stamp_of_row
from callcenter.web.compliance_words import word
from callcenter.web.edge import chosen, frame, language, runtime, told
from callcenter.web.offer_words import skill_name
from callcenter.web.pages import rules as page
from callcenter.web.pages.curves import RecoveryCurve
from callcenter.web.pages.studio import CurvePoint
from callcenter.web.rule_form import SHOWN, TREES, Filled, Rows, Typed, as_yaml, filled, typed_of
from callcenter.web.rules_view import SHOWN_ACTS, changes_of, label_of, standard_of, words_of
from callcenter.web.words import event_words, step_words

_PLACE = re.compile(r"^([a-z_]+)(?:\.(?:all|any)\[(\d+)\])?")
_UNKNOWN = "unknown entry "
CURVE_DAYS = 28
"""Of how many days the curve beside the minutes is drawn."""
_FALLBACKS: Mapping[str, Any] = {"after": "5m", "preset": "gone_quiet"}


@dataclass(frozen=True, slots=True)
class Read:
    """A form read as a definition: the definition, and what is wrong by the entry's name."""

    raw: dict[str, Any]
    problems: Mapping[str, str]


def read_form(session: Session, typed: Typed, row: TriggerRule, journey: JourneyDefinition) -> Read:
    """Make a definition of what was typed and say everything that is wrong with it.

    That includes a skill or a team that is not there, or not any more.
    """
    made = filled(typed, row.rule_key, journey.id, _catalogues(journey))
    problems: dict[str, str] = {}
    for entry, message in (*made.problems.items(), *_wrong(typed, made, journey)):
        problems.setdefault(entry, _problem_words(entry, message))
    for entry, error in needs_missing(session, made.raw).items():
        problems.setdefault(entry, told(error))
    return Read(made.raw, problems)


def _wrong(typed: Typed, made: Filled, journey: JourneyDefinition) -> Sequence[tuple[str, str]]:
    """Ask the rule's reader again and again, each time without what it refused, for everything it refuses."""
    raw, found = dict(made.raw), []
    for _ in range(len(raw) + 2):
        try:
            read_rule(raw, journey)
            break
        except BadInput as error:
            if error.message.startswith(_UNKNOWN):
                found.append(("more", error.message))
                for name in error.message.removeprefix(_UNKNOWN).split(", "):
                    raw.pop(name, None)
                continue
            place = _PLACE.match(error.message)
            entry = place[1] if place and place[1] in SHOWN else "more"
            name = entry
            if entry in TREES and place and typed.trees[entry].rows:
                name = f"{entry}.{place[2] or 0}"
            found.append((name, error.message.partition(": ")[2] or error.message))
            culprit = place[1] if place else ""
            if culprit not in raw and culprit not in _FALLBACKS:
                break
            raw.pop(culprit, None)
            if culprit in _FALLBACKS:
                raw[culprit] = _FALLBACKS[culprit]
    return found


def _problem_words(entry: str, message: str) -> str:
    """What is wrong: as the reader of rules says it in English, else what would be right."""
    if language() == "en":
        return message[:1].upper() + message[1:] + "."
    hints = {
        "after": gettext(
            "Write a duration such as 90s, 5m or 24h, shorter than the silence that closes a visit."
        ),
        "within": gettext("Write a duration such as 10m; it goes with two times or more."),
        "times": gettext("Write a whole number of 1 or more."),
        "priority": gettext("Write a whole number from 0 to 100."),
        "band": gettext(
            "Give one to six waits from half to one and a half times the set one, and the share of visits that "
            "try them: at least 5 percent each, at most 80 in all."
        ),
        "variant": gettext("Write the letter of a script variant, such as A."),
        "holdout": gettext("Write a share from 0 to 90 percent."),
        "value": gettext("Write an amount of 0 or more."),
        "fades": gettext("Write a duration from 1m to 30d."),
        "exempt": gettext("Give the reason, and set the hold-out to 0 percent."),
        "promise": gettext("Write a duration such as 60s."),
        "window": gettext("Write a duration such as 7d."),
        "max_age": gettext("Write a duration such as 4h."),
        "skill": gettext("Choose a skill of the list."),
        "level": gettext("Choose a level from 1 to 5; it goes with a skill."),
        "team": gettext("Choose a team of the list."),
        "goal": gettext("Choose a step after this one."),
        "event": gettext("Choose an event of the journey."),
        "errors": gettext("Choose the events that mean trouble."),
        "cool_down": gettext("Write durations such as 7d."),
        "title": gettext("Give a name in each language."),
    }
    root = entry.partition(".")[0]
    if root in ("conditions", "where"):
        return gettext("This comparison is not complete or its value does not fit the field.")
    return hints.get(root, gettext("This is not right: %(what)s", what=message))


def _catalogues(journey: JourneyDefinition) -> Mapping[str, Mapping[str, Field]]:
    return {"conditions": visit_fields(journey), "where": event_fields(journey)}


def draft_page(
    session: Session,
    rows: Sequence[TriggerRule],
    row: TriggerRule,
    typed: Typed | None = None,
    *,
    shows_problems: bool = True,
    in_conflict: bool = False,
) -> page.DraftPage:
    """Return the form of a draft, filled in from its row or as typed."""
    journey = journeys_loaded(session).get(row.journey)
    if journey is None:
        raise NotFound(f"Journey {row.journey!r} is not loaded any more.")
    saved = typed_of(row.definition, row.note, stamp_of_row(row))
    typed = typed or saved
    read = read_form(session, typed, row, journey)
    standard = standard_of(row, rows)
    is_right = not read.problems
    newest = max((one.version for one in rows if one.published_at), default=0)
    return page.DraftPage(
        frame=frame("rules"),
        key=row.rule_key,
        label=label_of(row),
        number=row.version,
        journey=chosen(journey.title, journey.id),
        saved_at=_saved_at(session, row),
        form=_form(typed, journey, read.problems if shows_problems else {}),
        presets=_presets(),
        purposes=tuple(page.Option(one.value, word("purpose", one)) for one in Purpose),
        skills=_known(
            typed, "skill", ((one.key, skill_name(one)) for one in skills(session) if one.is_active)
        ),
        levels=tuple(page.Option(str(one), str(one)) for one in LEVELS),
        teams=_known(typed, "team", ((one.name, one.name) for one in teams(session))),
        steps=_steps(journey, lambda place: journey.steps[place].id != journey.goal),
        goals=_steps(journey, lambda place: place > journey.order.get(typed.values["step"], 0)),
        events=_events(journey),
        words=words_of(read.raw, journey)[0] if is_right else None,
        yaml=as_yaml(read.raw) if is_right else None,
        changes=changes_of(standard.definition, read.raw, journey) if standard and is_right else (),
        against=standard.version if standard else None,
        newer=changes_of(row.definition, read.raw, journey) if in_conflict else None,
        now_seen=saved.seen,
        overtaken_by=newest if newest > row.version else None,
        curve=None
        if _asks_for_preview()
        else curve_of(session, journey.id, typed.values["step"], _minutes(typed)),
    )


def _asks_for_preview() -> bool:
    """Whether only what the form says is wanted, as after each key; the curve beside it stays as it is."""
    return request.headers.get("HX-Target") == "preview"


def _minutes(typed: Typed) -> float | None:
    try:
        return parse_duration(typed.values["after"], "after").total_seconds() / 60
    except BadInput:
        return None


def curve_of(session: Session, journey: str, step: str, minute: float | None) -> RecoveryCurve | None:
    """How customers came back to a step by themselves in the last four weeks; None where too few stopped on it."""
    now = runtime().clock()
    found = recovery_of_step(session, journey, step, Span(now - timedelta(days=CURVE_DAYS), now))
    if found is None:
        return None
    points = tuple(CurvePoint(*point) for point in found.points)
    return RecoveryCurve(points, minute if minute is not None and minute <= 60 else None, found.pauses)


def _known(typed: Typed, entry: str, options: Iterable[tuple[str, str]]) -> tuple[page.Option, ...]:
    """What may be chosen, with what the rule says already though it is no choice any more."""
    found = dict(options)
    if said := typed.values.get(entry):
        found.setdefault(said, said)
    return tuple(page.Option(value, label) for value, label in found.items())


def _saved_at(session: Session, row: TriggerRule) -> datetime:
    """When a draft was written last: its row keeps only since when it is one."""
    acts = last_acts(session, row.rule_key, "rule", runtime().clock(), SHOWN_ACTS)
    saved = (
        one.at for one in acts if one.act == "rule.draft_saved" and one.detail.get("version") == row.version
    )
    return max(next(saved, row.state_at), row.state_at)


def _form(typed: Typed, journey: JourneyDefinition, problems: Mapping[str, str]) -> page.DraftForm:
    catalogues = _catalogues(journey)
    rows = {
        name: _rows(name, typed.trees[name], catalogues[name], problems) for name in ("conditions", "where")
    }
    return page.DraftForm(
        values=typed.values,
        lists=typed.lists,
        conditions=rows["conditions"],
        where=rows["where"],
        more=typed.more,
        note=typed.note,
        seen=typed.seen,
        problems=problems,
    )


def _rows(
    name: str, tree: Rows, fields: Mapping[str, Field], problems: Mapping[str, str]
) -> page.ConditionRows:
    return page.ConditionRows(
        name=name,
        joined=tree.joined,
        rows=tuple(
            page.ConditionRow(
                field=field,
                op=op,
                value=value,
                ops=_operators(fields.get(field)),
                hint=_hint(fields.get(field), op),
                problem=problems.get(f"{name}.{place}"),
            )
            for place, (field, op, value) in enumerate(tree.rows)
        ),
        fields=_fields(fields),
        is_flat=tree.is_flat,
    )


def _operators(field: Field | None) -> tuple[page.Option, ...]:
    if field is None:
        return ()
    return tuple(page.Option(op, _operator_words(how)) for op, how in field.operators.items())


def _operator_words(operator: Operator) -> str:
    """An operator alone: "is at least", "there was … in the last"."""
    words = operator.words.get(language()) or operator.words["en"]
    bare = words.replace("{value}", " … ").replace("{field}", " … ")
    return re.sub(r"\s+", " ", bare).strip(" …") or words


def _hint(field: Field | None, op: str) -> str:
    """What a value looks like."""
    if field is None:
        return ""
    takes = field.operators[op].takes if op in field.operators else Takes.ONE
    if takes is Takes.DURATION:
        return "7d"
    if takes is Takes.LIST:
        return gettext("A, B")
    return {FieldType.NUMBER: "50000", FieldType.DATE: "2026-12-01"}.get(field.type, "")


def _fields(fields: Mapping[str, Field]) -> tuple[page.Option, ...]:
    groups = {
        FieldSource.CUSTOMER: gettext("The customer"),
        FieldSource.VISIT: gettext("The visit"),
        FieldSource.EVENT: gettext("The event"),
        FieldSource.CALLS: gettext("Our calls"),
        FieldSource.EVENTS_BEFORE: gettext("What they did before"),
    }
    options = [
        page.Option(one.name, one.label.get(language()) or one.label["en"], groups[one.source])
        for one in fields.values()
    ]
    order = list(groups.values())
    return tuple(sorted(options, key=lambda one: order.index(one.group)))


def _presets() -> tuple[page.Option, ...]:
    words = {
        Preset.GONE_QUIET: gettext("Gone quiet"),
        Preset.DWELL: gettext("Dwell"),
        Preset.ABSENCE: gettext("A then not B"),
        Preset.TROUBLE: gettext("Trouble"),
        Preset.MOMENT: gettext("Moment"),
    }
    return tuple(page.Option(preset.value, label) for preset, label in words.items())


def _steps(journey: JourneyDefinition, is_open: Any) -> tuple[page.Option, ...]:
    return tuple(
        page.Option(step.id, step_words(journey, step.id, language()))
        for place, step in enumerate(journey.steps)
        if is_open(place)
    )


def _events(journey: JourneyDefinition) -> tuple[page.Option, ...]:
    return tuple(
        page.Option(
            key,
            event_words(journey, key, language()),
            step_words(journey, step, language()) if step else gettext("The journey"),
        )
        for key, (_, step) in journey.roles.items()
    )
