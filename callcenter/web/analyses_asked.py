"""What an address asks of the analyses, and the form that asks it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TypeVar
from urllib.parse import urlencode

from flask_babel import gettext
from sqlmodel import Session

from callcenter.domain.journey import JourneyDefinition
from callcenter.errors import NotFound
from callcenter.journeys.queries import journeys_loaded
from callcenter.reporting.analyses.asked import LEAST_DAYS, MEASURES, Model, Question, Split
from callcenter.reporting.analyses.recipes import RECIPES
from callcenter.segments.queries import segments
from callcenter.triggers.queries import current_rules
from callcenter.web.analyses_words import MEASURES as MEASURE_WORDS
from callcenter.web.analyses_words import MODELS, SPLITS, Names, group_words
from callcenter.web.counts import ngettext
from callcenter.web.edge import chosen, language, zone
from callcenter.web.pages.analyses import Field, Option
from callcenter.web.pages.studio import Choice
from scripts_library.catalog import Catalog

WINDOWS = (1, 7, 28, 90)
T = TypeVar("T", Model, Split)
USUAL_JOURNEY = "loan"
PATH = "/studio/analyses"


@dataclass(frozen=True, slots=True)
class Asked:
    """A question as an address asks it: over so many of the viewer's days, today included, up to now."""

    question: Question
    journey: JourneyDefinition
    days: int
    is_beside: bool
    args: Mapping[str, str]

    @property
    def beside(self) -> int:
        """Days of the window where earlier weeks shall be laid beside it, else 0."""
        return self.days if self.is_beside else 0

    def query(self, **changed: str | int | None) -> str:
        """Return what asks the same again, but for what is changed; None leaves something out."""
        told = {**self.args, **{name: str(one) for name, one in changed.items() if one is not None}}
        kept = {name: one for name, one in told.items() if not (name in changed and changed[name] is None)}
        return urlencode(kept)


def asked_of(session: Session, args: Mapping[str, str], now: datetime) -> Asked:
    """Read what is asked; what makes no sense falls back to what is usual. Raises NotFound for no such journey."""
    journeys = journeys_loaded(session)
    wanted = args.get("journey") or (
        USUAL_JOURNEY if USUAL_JOURNEY in journeys else min(journeys, default="")
    )
    if wanted not in journeys:
        raise NotFound(gettext("There is no such journey. Load one with `callcenter journeys`."))
    journey, model = journeys[wanted], _one_of(Model, args.get("model"), Model.FUNNEL)
    days = _days(args.get("days"), model)
    midnight = now.astimezone(zone()).replace(hour=0, minute=0, second=0, microsecond=0)
    steps, measures = list(journey.order), MEASURES.get(model, ("",))
    measure = args.get("measure", "")
    split = _one_of(Split, args.get("split"), Split.DEVICE if model is Model.ATTRIBUTE else Split.NONE)
    only = args.get("only") if split is not Split.NONE else None
    question = Question(
        model=model,
        journey=journey.id,
        steps=tuple(steps),
        goal=journey.goal,
        start=midnight - timedelta(days=days - 1),
        end=now + timedelta(microseconds=1),
        zone=zone().key,
        split=split,
        only=only if only != "*" else None,
        measure=measure if measure in measures else measures[0],
        step=_step(
            args.get("step"), steps, steps[min(2, len(steps) - 1)] if model is Model.PATH else steps[0]
        ),
        until=_step(args.get("until"), steps, journey.goal),
    )
    is_beside = args.get("beside", "1") == "1" and RECIPES[model].compared is not None
    return Asked(question, journey, days, is_beside, _kept(question, days, is_beside))


def _kept(question: Question, days: int, is_beside: bool) -> dict[str, str]:
    told = {"model": question.model.value, "journey": question.journey, "days": str(days)}
    if question.split is not Split.NONE or question.model is Model.ATTRIBUTE:
        told["split"] = question.split.value
    if question.only is not None:
        told["only"] = question.only
    if question.measure:
        told["measure"] = question.measure
    if question.model in (Model.PATH, Model.INTERVAL):
        told["step"] = question.step
    if question.model is Model.INTERVAL:
        told["until"] = question.until
    return told if is_beside else {**told, "beside": "0"}


def _one_of(kind: type[T], value: str | None, otherwise: T) -> T:
    return kind(value) if value in set(kind) else otherwise


def _days(value: str | None, model: Model) -> int:
    days = int(value) if value in {str(one) for one in WINDOWS} else 7
    return next(one for one in WINDOWS if one >= max(days, LEAST_DAYS.get(model, 1)))


def _step(value: str | None, steps: list[str], otherwise: str) -> str:
    return value if value in steps else otherwise


def names_of(session: Session, journey: JourneyDefinition, catalog: Catalog) -> Names:
    """Return what rules, scripts, campaigns and segments are called."""
    journeys = journeys_loaded(session)
    rules = current_rules(session, journeys)
    titles = {key: chosen(versions[-1].spec.title, key) for key, versions in rules.versions.items()}
    scripts = {one.id: one.title for one in catalog.scripts if one.language == "en"}
    scripts |= {one.id: one.title for one in catalog.scripts if one.language == language()}
    campaigns = {key: chosen(one.title, key) for key, one in journeys.items()}
    known = {one.key: chosen(one.title, one.key) for one in segments(session)}
    return Names(journey, titles, scripts, campaigns, known)


# -- the form ---------------------------------------------------------------------------------------------


def model_choices(asked: Asked) -> tuple[Choice, ...]:
    """The switch between the ten; journey, window and split stay."""
    kept = {
        name: one
        for name, one in asked.args.items()
        if name in ("journey", "days", "split", "only", "beside")
    }
    return tuple(
        Choice(
            str(title), f"{PATH}?{urlencode({**kept, 'model': model.value})}", model is asked.question.model
        )
        for model, title in MODELS.items()
    )


def window_choices(asked: Asked) -> tuple[Choice, ...]:
    """The windows in which this model has something to say."""
    least = LEAST_DAYS.get(asked.question.model, 1)
    return tuple(
        Choice(
            gettext("Today") if days == 1 else ngettext("%(num)s day", "%(num)s days", days),
            f"{PATH}?{asked.query(days=days)}",
            days == asked.days,
        )
        for days in WINDOWS
        if days >= least
    )


def form_fields(session: Session, asked: Asked, names: Names, groups: tuple[str, ...]) -> tuple[Field, ...]:
    """The selects that fit the model."""
    question = asked.question
    journeys = [(one.id, chosen(one.title, one.id)) for one in journeys_loaded(session).values()]
    fields = [_field("journey", gettext("Journey"), journeys, question.journey)]
    steps = [(one, names.step(one)) for one in question.steps]
    if question.model is Model.PATH:
        fields.append(
            _field(
                "step", gettext("Drop at"), [one for one in steps if one[0] != question.goal], question.step
            )
        )
    if question.model is Model.INTERVAL:
        fields.append(_field("step", gettext("From"), steps, question.step))
        fields.append(_field("until", gettext("To"), steps, question.until))
    if question.model in MEASURES:
        measures = [(one, str(MEASURE_WORDS[one])) for one in MEASURES[question.model]]
        fields.append(_field("measure", gettext("Measure"), measures, question.measure))
    splits = [
        (one.value, str(title))
        for one, title in SPLITS.items()
        if one is not Split.NONE or question.model is not Model.ATTRIBUTE
    ]
    fields.append(_field("split", gettext("Split by"), splits, question.split.value))
    if question.split is not Split.NONE and groups:
        known = [(one, group_words(question.split, one, names)) for one in groups]
        fields.append(
            _field("only", gettext("Whom"), [("*", gettext("Everyone")), *known], question.only or "*")
        )
    return tuple(fields)


def _field(name: str, label: str, options: list[tuple[str, str]], here: str) -> Field:
    return Field(name, label, tuple(Option(value, words, value == here) for value, words in options))
