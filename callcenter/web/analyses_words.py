"""The words of the analyses: their questions, figures, rows and what they mean; in the viewer's language."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from typing import Any

from flask_babel import gettext
from flask_babel import lazy_gettext as _l

from callcenter.domain.journey import JourneyDefinition
from callcenter.reporting.analyses.asked import OVERLAPPING, Line, Model, Question, Sample, Split
from callcenter.web.counts import ngettext
from callcenter.web.edge import language, zone
from callcenter.web.formats import day, label, number
from callcenter.web.words import event_words, step_words

MODELS: Mapping[Model, Any] = {
    Model.FUNNEL: _l("Funnel"),
    Model.RETENTION: _l("Retention"),
    Model.DISTRIBUTION: _l("Distribution"),
    Model.INTERVAL: _l("Interval"),
    Model.PATH: _l("Path"),
    Model.ATTRIBUTION: _l("Attribution"),
    Model.VALUE: _l("Value"),
    Model.SESSION: _l("Sessions"),
    Model.ATTRIBUTE: _l("Attributes"),
    Model.EVENT: _l("Events"),
}
QUESTIONS: Mapping[Model, Any] = {
    Model.FUNNEL: _l("Where do they stop?"),
    Model.RETENTION: _l("Do they come back on later days?"),
    Model.DISTRIBUTION: _l("How much does each of them do?"),
    Model.INTERVAL: _l("How long do they take from step to step?"),
    Model.PATH: _l("What comes before and after a drop?"),
    Model.ATTRIBUTION: _l("Which calls came before a conversion?"),
    Model.VALUE: _l("What are conversions worth, and what repeats?"),
    Model.SESSION: _l("How do they use it when they are here?"),
    Model.ATTRIBUTE: _l("Who converts, by what they have in common?"),
    Model.EVENT: _l("What happens, and to how many?"),
}
SPLITS: Mapping[Split, Any] = {
    Split.NONE: _l("nothing"),
    Split.DEVICE: _l("device"),
    Split.APP_VERSION: _l("app version"),
    Split.CHANNEL: _l("channel"),
    Split.TAG: _l("tag"),
    Split.SEGMENT: _l("segment"),
    Split.SURVEY: _l("survey group"),
    Split.RULE: _l("rule"),
    Split.SCRIPT: _l("script"),
    Split.HOUR: _l("hour"),
}
MEASURES: Mapping[str, Any] = {
    "events": _l("events"),
    "errors": _l("errors"),
    "steps": _l("steps"),
    "days": _l("days with an event"),
    "rule": _l("by rule"),
    "script": _l("by script"),
    "campaign": _l("by campaign"),
    "30": _l("within 30 days"),
    "90": _l("within 90 days"),
    "all": _l("all events"),
}
FIGURES: Mapping[str, Any] = {
    "entered": _l("Entered"),
    "of_total": _l("Of all seen"),
    "lost": _l("Lost"),
    "loss": _l("Loss"),
    "median": _l("Median time"),
    "people": _l("People"),
    "day_1": _l("Day 1"),
    "day_2": _l("Day 2"),
    "day_3": _l("Day 3"),
    "day_5": _l("Day 5"),
    "day_7": _l("Day 7"),
    "day_14": _l("Day 14"),
    "day_21": _l("Day 21"),
    "share": _l("Share"),
    "mean": _l("Mean"),
    "within": _l("Share so far"),
    "p90": _l("90 % within"),
    "touches": _l("Calls"),
    "touched": _l("Called"),
    "reached": _l("Reached"),
    "conversions": _l("Converted after"),
    "return": _l("Of called"),
    "first": _l("First touch"),
    "last": _l("Last touch"),
    "linear": _l("Linear"),
    "value": _l("Value"),
    "converted": _l("Converted"),
    "repeated": _l("Came again"),
    "repeat_share": _l("Share that came again"),
    "repeats": _l("Repeats"),
    "repeat_value": _l("Value of repeats"),
    "watched": _l("Watched in full"),
    "sessions": _l("Sessions"),
    "per_person": _l("Per person"),
    "events": _l("Events"),
    "with_error": _l("With an error"),
    "error_share": _l("Share with an error"),
    "conversion": _l("Conversion"),
    "errors": _l("Errors each"),
}
LABEL_TITLES: Mapping[Model, Any] = {
    Model.FUNNEL: _l("Step"),
    Model.RETENTION: _l("First seen on"),
    Model.DISTRIBUTION: _l("How many"),
    Model.INTERVAL: _l("Time"),
    Model.PATH: _l("From, to"),
    Model.ATTRIBUTION: _l("Calls of"),
    Model.VALUE: _l("First converted in the week of"),
    Model.SESSION: _l("Day"),
    Model.EVENT: _l("Event"),
}
_NOTES: Mapping[Model, tuple[Any, ...]] = {
    Model.FUNNEL: (
        _l(
            "Counted is a customer with one journey key, such as one application. Lost: got no further in the"
            " window and did nothing in its last 5 minutes."
        ),
    ),
    Model.RETENTION: (
        _l(
            "Of those first seen in the window on a day, the share with any event of the journey so many days"
            " later. Days that have not begun are left out."
        ),
    ),
    Model.DISTRIBUTION: (_l("How many people did so much in the window."),),
    Model.INTERVAL: (
        _l("From the first time on one step to the first time on the other, of those who got to both."),
    ),
    Model.PATH: (
        _l(
            "Of the newest 1,000 who stopped at the step: the two events before they came to it, within a day,"
            " and the two after; events outside the journey count too."
        ),
    ),
    Model.ATTRIBUTION: (
        _l(
            "Calls up to 30 days before a conversion in the window share in it: the first, the last, or each an"
            " equal part (linear). That says who was called before they converted, not who converted because of"
            " it: many would have come by themselves."
        ),
        _l(
            "The incremental effect is the true one: converted of those assigned to calls less converted of those"
            " held out by chance, whoever answered, over the whole life of the rule."
        ),
    ),
    Model.VALUE: (
        _l(
            "First conversions in the window with the amount their event names, and what the same customers"
            " converted again after it. Who is not watched in full yet may still come again."
        ),
    ),
    Model.SESSION: (
        _l("A session ends with 30 minutes of silence. Its time is from the first event to the last."),
    ),
    Model.ATTRIBUTE: (
        _l("What people have in common need not be why they convert: only the hold-out of a rule tells causes."),
    ),
    Model.EVENT: (_l("Per person: of those it happened to. Shares are of everybody seen in the group."),),
}  # fmt: skip
_AS_NOW = _l("Told apart by what is known of each customer now, not by what was known in the window.")
_OVERLAP = _l("One person may be in several groups, so groups do not add up.")
_TIMES = (
    _l("under 1 min"), _l("1 to 2 min"), _l("2 to 5 min"), _l("5 to 15 min"), _l("15 min to 1 h"), _l("1 to 4 h"),
    _l("4 to 24 h"), _l("1 to 3 days"), _l("over 3 days"),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Names:
    """What codes are called: titles of rules, scripts, campaigns and segments, and the journey with its steps."""

    journey: JourneyDefinition
    rules: Mapping[str, str] = field(default_factory=dict)
    scripts: Mapping[str, str] = field(default_factory=dict)
    campaigns: Mapping[str, str] = field(default_factory=dict)
    segments: Mapping[str, str] = field(default_factory=dict)

    def step(self, code: str) -> str:
        """A step's title."""
        return step_words(self.journey, code, language())

    def event(self, code: str) -> str:
        """An event's or a step's words."""
        role = self.journey.roles.get(code)
        if role is not None and role[1] is not None and code not in self.journey.labels:
            return self.step(role[1])
        return self.step(code) if code in self.journey.order else event_words(self.journey, code, language())


def sampled_words(sample: Sample) -> str:
    """What share of the customers was counted; empty for everybody."""
    if sample.times == 1:
        return ""
    return gettext(
        "So many events are in this window that one in %(n)s customers, always the same, was counted and multiplied"
        " by %(n)s; shares and times are those of the sample.",
        n=number(sample.times),
    )


def left_out_words(complete_since: datetime | None, spans: int) -> str:
    """What lies in the archive and is not counted; `spans` earlier ones are not laid beside for it."""
    said = []
    if complete_since is not None:
        local = complete_since.astimezone(zone())
        whole = local.date() + timedelta(days=1 if local.time() != time() else 0)
        said.append(
            gettext(
                "Older events lie in the archive and are not counted: figures are complete from %(day)s on.",
                day=day(whole),
            )
        )
    if spans:
        said.append(
            ngettext(
                "%(num)s earlier span is not laid beside, for its events lie in the archive.",
                "%(num)s earlier spans are not laid beside, for their events lie in the archive.",
                spans,
            )
        )
    return " ".join(said)


def notes_of(asked: Question) -> tuple[str, ...]:
    """What the figures mean."""
    told = tuple(str(one) for one in _NOTES[asked.model])
    if asked.split in OVERLAPPING:
        told = (*told, str(_OVERLAP))
    return (*told, str(_AS_NOW)) if asked.split in (Split.TAG, Split.SEGMENT, Split.SURVEY) else told


def group_words(split: Split, group: str, names: Names) -> str:
    """A group's name."""
    if split is Split.NONE:
        return ""
    if not group:
        return {
            Split.TAG: gettext("no tag"),
            Split.SEGMENT: gettext("no segment"),
            Split.SURVEY: gettext("no answer to a survey"),
            Split.RULE: gettext("no rule fired"),
            Split.SCRIPT: gettext("no script"),
        }.get(split, gettext("not said"))
    if split is Split.HOUR:
        return f"{group}:00"
    if split is Split.SURVEY:
        return label(group)
    known = {Split.RULE: names.rules, Split.SCRIPT: names.scripts, Split.SEGMENT: names.segments}.get(
        split, {}
    )
    return known.get(group, group)


def label_words(asked: Question, line: Line, names: Names) -> str:
    """A row's name."""
    if line.label is None:
        return gettext("All")
    words = _LABELS.get(asked.model)
    return words(asked, line.label, names) if words else line.label


def path_parts(label: str, names: Names) -> tuple[int, str, str]:
    """Place (1 to 4), from and to of a path's row."""
    place, from_, to = label.split("|", 2)
    before = gettext("nothing before")
    return (
        int(place),
        names.event(from_) if from_ else before,
        names.event(to) if to else gettext("nothing more"),
    )


def _of_path(_asked: Question, label: str, names: Names) -> str:
    _, from_, to = path_parts(label, names)
    return f"{from_} → {to}"


def _of_event(_asked: Question, label: str, names: Names) -> str:
    step, name, reason = label.split("|", 2)
    said = names.event(name)
    if reason:
        said += ("：" if language() == "zh" else ": ") + event_words(names.journey, reason, language())
    where = names.step(step) if step else ""
    return said if not where or where == said else f"{where} · {said}"


def _of_day(_asked: Question, label: str, _names: Names) -> str:
    return day(date.fromisoformat(label))


def _of_amount(_asked: Question, label: str, _names: Names) -> str:
    low, _, high = label.partition("-")
    if label.endswith("-"):
        return gettext("%(low)s or more", low=low)
    return gettext("%(low)s to %(high)s", low=low, high=high) if high else low


def _of_touch(asked: Question, label: str, names: Names) -> str:
    if not label:
        return gettext("No call before")
    known = {"rule": names.rules, "script": names.scripts, "campaign": names.campaigns}[asked.measure]
    return known.get(label, label)


_LABELS: Mapping[Model, Callable[[Question, str, Names], str]] = {
    Model.FUNNEL: lambda _asked, label, names: names.step(label),
    Model.RETENTION: _of_day,
    Model.DISTRIBUTION: _of_amount,
    Model.INTERVAL: lambda _asked, label, _names: str(_TIMES[int(label)]),
    Model.PATH: _of_path,
    Model.ATTRIBUTION: _of_touch,
    Model.VALUE: _of_day,
    Model.SESSION: _of_day,
    Model.EVENT: _of_event,
}
