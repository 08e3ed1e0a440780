"""Reading a trigger rule's definition: typed, with defaults, and clear words where it is wrong."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import time, timedelta
from typing import Any

from callcenter.domain.draws import Band, read_band
from callcenter.domain.durations import parse_duration
from callcenter.domain.enums import Preset, Purpose
from callcenter.domain.fields import FieldType, event_fields, visit_fields
from callcenter.domain.journey import KEPT_SIGHTINGS, EventRole, JourneyDefinition
from callcenter.domain.moments import CoolDown, DateMoment
from callcenter.domain.needs import LEVELS
from callcenter.errors import BadInput
from callcenter.triggers.conditions import Condition, always, compile_condition, history_asked

_KEY = re.compile(r"^[a-z0-9][a-z0-9-]{0,63}$")
_ENTRIES = frozenset(
    [
        "rule",
        "title",
        "journey",
        "step",
        "preset",
        "after",
        "band",
        "event",
        "errors",
        "times",
        "within",
        "where",
        "unless",
        "conditions",
        "priority",
        "purpose",
        "promise",
        "window",
        "goal",
        "holdout",
        "max_age",
        "moment",
        "variant",
        "cool_down",
        "date",
        "value",
        "fades",
        "exempt",
        "skill",
        "level",
        "team",
    ]
)
_TIMED = (Preset.DWELL, Preset.GONE_QUIET, Preset.ABSENCE)
_CLOCK = re.compile(r"^([01]\d|2[01]):[0-5]\d$|^22:00$")
"""Early enough in the day that the calendar has gone through its dates before midnight."""
_VARIANT = re.compile(r"^[A-Z]$")
_SKILL = re.compile(r"^[a-z0-9][a-z0-9_-]{0,39}$")
LONGEST_TEAM = 60
DEFAULT_AT = "09:30"
LONGEST_BEFORE = timedelta(days=366)
LONGEST_COOL_DOWN = timedelta(days=366)
DEFAULT_HOLDOUT = 0.2
DEFAULT_WINDOW = timedelta(days=7)
DEFAULT_PROMISE = timedelta(seconds=60)
DEFAULT_MAX_AGE = timedelta(hours=24)
DEFAULT_VALUE = 100.0
"""What a conversion counts for as long as nobody has said what it is worth to the bank: all count alike."""
MOST_VALUE = 1e9
DEFAULT_FADES = timedelta(hours=1)
"""How soon half of what a call brings is gone, as long as nobody has said otherwise."""
LONGEST_EXEMPT = 300


@dataclass(frozen=True)
class RuleSpec:
    """A rule's definition, ready to run. `goal` is the step whose reaching counts as converted.

    `where` says which of the events named count, by what they say; `within` how close together `times` of
    them must lie. `history` names the questions about the past that the conditions ask, each with how far
    back; `date` is the date of the customer whose coming the calendar reports as the rule's event. With a
    `band` each visit has a wait of its own, drawn around `after`; `wait_probability` is that of one drawn. With a
    `variant` agents say that variant of the script wherever it has one, and none is drawn. `skill` at
    `level` (1-5) and `team` are asked of the agents who are to call.
    """

    key: str
    title: Mapping[str, str]
    journey: str
    step: str
    preset: Preset
    condition: Condition
    after: timedelta = timedelta(0)
    band: Band | None = None
    wait_probability: float | None = None
    enters_band: bool = False
    event: str | None = None
    errors: tuple[str, ...] = ()
    times: int = 1
    within: timedelta | None = None
    where: Mapping[str, Any] | None = None
    matches: Condition = always
    has_conditions: bool = False
    entry_keys: tuple[str, ...] = ()
    history: Mapping[str, timedelta] = field(default_factory=dict)
    unless: tuple[str, ...] = ()
    purpose: Purpose = Purpose.SERVICE
    priority: int = 50
    promise: timedelta = DEFAULT_PROMISE
    window: timedelta = DEFAULT_WINDOW
    goal: str | None = None
    holdout: float = DEFAULT_HOLDOUT
    max_age: timedelta = DEFAULT_MAX_AGE
    moment: str | None = None
    variant: str | None = None
    cool_down: CoolDown | None = None
    date: DateMoment | None = None
    value: float = DEFAULT_VALUE
    fades: timedelta = DEFAULT_FADES
    exempt: str | None = None
    skill: str | None = None
    level: int = 1
    team: str | None = None

    def share_of_all(self, global_holdout: float) -> float:
        """The share held out of all rules, as far as it counts for this one."""
        return 0.0 if self.exempt else global_holdout

    @property
    def picks_events(self) -> bool:
        """Whether only some of the events named count."""
        return self.where is not None or self.date is not None

    @property
    def is_immediate(self) -> bool:
        """Whether the rule fires at its event rather than when a clock runs out."""
        return self.after == timedelta(0)

    def drawn_for(self, visit: str) -> "RuleSpec":
        """Return the rule as it runs for a visit, known by its identity; itself where nothing is drawn."""
        if self.band is None or self.wait_probability is not None:
            return self
        drawn = self.band.draw(self.key, visit)
        return replace(self, after=drawn.wait, wait_probability=drawn.probability)


def read_rule(raw: Mapping[str, Any], journey: JourneyDefinition) -> RuleSpec:
    """Turn a rule's definition, as parsed from YAML or JSON, into its spec.

    Raises BadInput naming the entry that is wrong, with what would be right.
    """
    if not isinstance(raw, Mapping) or not isinstance(raw.get("rule"), str) or not _KEY.match(raw["rule"]):
        raise BadInput("rule: needs a name of lower-case letters, digits or -")
    unknown = set(raw) - _ENTRIES
    if unknown:
        raise BadInput(f"unknown entry {', '.join(sorted(unknown))}")
    step = str(raw.get("step"))
    if step not in journey.order or step == journey.goal:
        steps = ", ".join(s for s in journey.order if s != journey.goal)
        raise BadInput(f"step: {step!r} is not a step of journey {journey.id!r}; it has {steps}")
    try:
        preset = Preset(raw.get("preset", Preset.GONE_QUIET))
    except ValueError:
        raise BadInput(f"preset: {raw.get('preset')!r} is not one of {', '.join(Preset)}") from None
    after = _after(raw, preset, journey)
    return RuleSpec(
        key=raw["rule"],
        title=_title(raw),
        journey=journey.id,
        step=step,
        preset=preset,
        condition=compile_condition(raw.get("conditions"), fields=visit_fields(journey)),
        has_conditions=bool(raw.get("conditions")),
        entry_keys=journey.step(step).enter,
        history=history_asked(raw.get("conditions")),
        after=after,
        band=_band(raw, after, journey),
        event=_known_key(raw.get("event"), "event", journey),
        errors=_error_keys(raw, preset, step, journey),
        times=_times(raw, preset),
        within=_within(raw, preset),
        where=_where(raw, preset),
        matches=compile_condition(raw.get("where"), "where", fields=event_fields(journey)),
        unless=tuple(_known_key(key, "unless", journey) or "" for key in raw.get("unless", [])),
        purpose=_purpose(raw),
        priority=_whole(raw.get("priority", 50), "priority", 0, 100),
        promise=parse_duration(raw.get("promise", "60s"), "promise"),
        window=parse_duration(raw.get("window", "7d"), "window"),
        goal=_goal(raw, step, journey),
        holdout=_share(raw.get("holdout", DEFAULT_HOLDOUT)),
        max_age=parse_duration(raw.get("max_age", "24h"), "max_age"),
        moment=raw.get("moment"),
        variant=_variant(raw.get("variant")),
        cool_down=_cool_down(raw.get("cool_down")),
        date=_date(raw, preset, step, journey),
        value=_value(raw.get("value", DEFAULT_VALUE)),
        fades=_fades(raw.get("fades")),
        exempt=_exempt(raw),
        skill=_skill(raw),
        level=_level(raw),
        team=_team(raw),
    )


def _skill(raw: Mapping[str, Any]) -> str | None:
    skill = raw.get("skill")
    if skill is not None and not (isinstance(skill, str) and _SKILL.match(skill)):
        raise BadInput("skill: give the key of a skill, such as loans")
    return skill


def _level(raw: Mapping[str, Any]) -> int:
    if "level" in raw and "skill" not in raw:
        raise BadInput("level: goes with a skill")
    return _whole(raw.get("level", LEVELS[0]), "level", LEVELS[0], LEVELS[-1])


def _team(raw: Mapping[str, Any]) -> str | None:
    team = raw.get("team")
    if team is not None and not (isinstance(team, str) and 0 < len(team.strip()) <= LONGEST_TEAM):
        raise BadInput("team: give the name of a team")
    return " ".join(team.split()) if team is not None else None


def _times(raw: Mapping[str, Any], preset: Preset) -> int:
    narrow = preset is Preset.TROUBLE and ("within" in raw or "where" in raw)
    return _whole(raw.get("times", 1), "times", 1, KEPT_SIGHTINGS if narrow else 100)


def _within(raw: Mapping[str, Any], preset: Preset) -> timedelta | None:
    if "within" not in raw:
        return None
    if preset is not Preset.TROUBLE or raw.get("times", 1) == 1:
        raise BadInput("within: goes with preset trouble and times of 2 or more")
    return parse_duration(raw["within"], "within")


def _where(raw: Mapping[str, Any], preset: Preset) -> Mapping[str, Any] | None:
    if not raw.get("where"):
        return None
    if preset in (Preset.DWELL, Preset.GONE_QUIET):
        raise BadInput(f"where: preset {preset.value} waits for no event; use conditions")
    if preset is not Preset.TROUBLE and "event" not in raw:
        raise BadInput("where: name the event it speaks of")
    return dict(raw["where"]) if isinstance(raw["where"], Mapping) else {}


def _purpose(raw: Mapping[str, Any]) -> Purpose:
    try:
        return Purpose(raw.get("purpose", Purpose.SERVICE))
    except ValueError:
        raise BadInput(f"purpose: {raw['purpose']!r} is not one of {', '.join(Purpose)}") from None


def _title(raw: Mapping[str, Any]) -> Mapping[str, str]:
    title = raw.get("title", raw["rule"])
    if isinstance(title, str):
        return {"en": title}
    if not isinstance(title, Mapping) or not all(isinstance(text, str) and text for text in title.values()):
        raise BadInput("title: give a text, or one for each language; quote texts that hold a comma")
    return dict(title)


def _after(raw: Mapping[str, Any], preset: Preset, journey: JourneyDefinition) -> timedelta:
    if "after" not in raw:
        if preset in _TIMED:
            raise BadInput(f"after: preset {preset.value} needs a duration, for example 5m")
        return timedelta(0)
    after = parse_duration(raw["after"], "after")
    if after < timedelta(seconds=1) and preset in _TIMED:
        raise BadInput("after: at least 1s")
    if journey.gap is not None and after >= journey.gap:
        raise BadInput("after: longer than the silence that closes a visit, so the rule could never fire")
    return after


def _band(raw: Mapping[str, Any], after: timedelta, journey: JourneyDefinition) -> Band | None:
    band = read_band(raw.get("band"), after)
    if band and journey.gap is not None and band.waits[-1].wait >= journey.gap:
        raise BadInput("band.waits: longer than the silence that closes a visit, so it could never fire")
    return band


def _known_key(key: Any, where: str, journey: JourneyDefinition) -> str | None:
    if key is None:
        return None
    if key not in journey.roles:
        raise BadInput(f"{where}: journey {journey.id!r} knows no event {key!r}")
    return str(key)


def _error_keys(
    raw: Mapping[str, Any], preset: Preset, step: str, journey: JourneyDefinition
) -> tuple[str, ...]:
    keys = raw.get("errors")
    if keys is None:
        keys = journey.step(step).errors if preset is Preset.TROUBLE and "event" not in raw else ()
    if preset is Preset.TROUBLE and not keys and "event" not in raw:
        raise BadInput(f"errors: step {step!r} has no error events; name the event that means trouble")
    return tuple(_known_key(key, "errors", journey) or "" for key in keys)


def _goal(raw: Mapping[str, Any], step: str, journey: JourneyDefinition) -> str | None:
    goal = raw.get("goal")
    if goal is None:
        return None
    if goal not in journey.order or journey.order[goal] <= journey.order[step]:
        raise BadInput(f"goal: {goal!r} must be a step after {step!r}")
    return str(goal)


def _cool_down(raw: Any) -> CoolDown | None:
    """Read `{rule: 7d, journey: 1d, customer: 4h}`, each of them optional."""
    if raw is None:
        return None
    if not isinstance(raw, Mapping) or not raw or not set(raw) <= {"rule", "journey", "customer"}:
        raise BadInput("cool_down: give durations for rule, journey or customer")
    spans = {str(name): parse_duration(span, f"cool_down.{name}") for name, span in raw.items()}
    if not all(timedelta(0) < span <= LONGEST_COOL_DOWN for span in spans.values()):
        raise BadInput(f"cool_down: more than nothing, and at most {LONGEST_COOL_DOWN.days}d")
    return CoolDown(**spans)


def _date(raw: Mapping[str, Any], preset: Preset, step: str, journey: JourneyDefinition) -> DateMoment | None:
    """Read `{field: customer.deposit_matures_on, before: 7d, yearly: false, at: "09:30"}`."""
    said = raw.get("date")
    if said is None:
        return None
    if preset is not Preset.MOMENT or journey.roles.get(str(raw.get("event"))) != (EventRole.ENTER, step):
        raise BadInput(f"date: goes with preset moment and an event that enters step {step!r}")
    if not isinstance(said, Mapping) or not {"field"} <= set(said) <= {"field", "before", "yearly", "at"}:
        raise BadInput("date: give field, and if you like before, yearly and at")
    known = visit_fields(journey).get(str(said["field"]))
    if known is None or known.type is not FieldType.DATE:
        raise BadInput(f"date.field: {said['field']!r} is not a date among the traits of the journey")
    before = parse_duration(said.get("before", "0d"), "date.before")
    if before % timedelta(days=1) or before > LONGEST_BEFORE:
        raise BadInput(f"date.before: whole days, at most {LONGEST_BEFORE.days}d")
    at = said.get("at", DEFAULT_AT)
    if not isinstance(at, str) or not _CLOCK.match(at):
        raise BadInput(f'date.at: {at!r} is not a time such as "09:30", in quotes')
    if not isinstance(said.get("yearly", False), bool):
        raise BadInput("date.yearly: true or false")
    trait = known.name.removeprefix("customer.")
    return DateMoment(trait, before, said.get("yearly", False), time.fromisoformat(at))


def _variant(raw: Any) -> str | None:
    if raw is not None and (not isinstance(raw, str) or not _VARIANT.match(raw)):
        raise BadInput("variant: a script variant's letter, for example A")
    return raw


def _whole(value: Any, where: str, low: int, high: int) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not low <= value <= high:
        raise BadInput(f"{where}: a whole number from {low} to {high}")
    return value


def _value(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= MOST_VALUE:
        raise BadInput("value: what a conversion is worth, an amount of 0 or more")
    return float(value)


def _fades(said: Any) -> timedelta:
    if said is None:
        return DEFAULT_FADES
    fades = parse_duration(said, "fades")
    if not timedelta(minutes=1) <= fades <= timedelta(days=30):
        raise BadInput("fades: from 1m to 30d, the time after which half of what a call brings is gone")
    return fades


def _exempt(raw: Mapping[str, Any]) -> str | None:
    """Read why nobody may be held out of the rule; such a rule's own hold-out is 0."""
    reason = raw.get("exempt")
    if reason is None:
        return None
    if not isinstance(reason, str) or not reason.strip() or len(reason) > LONGEST_EXEMPT:
        raise BadInput(
            f"exempt: give the reason why everybody must be called, at most {LONGEST_EXEMPT} letters"
        )
    if raw.get("holdout") != 0:
        raise BadInput("exempt: goes with holdout: 0, since nobody may be held out")
    return reason.strip()


def _share(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 0.9:
        raise BadInput("holdout: a share from 0 to 0.9, for example 0.2")
    return float(value)
