"""When is a visit worth a call? Visit and rules in, what ran out and when to look next out; no I/O, no clock."""

from bisect import bisect_right
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import cached_property
from typing import Any

import orjson

from callcenter.domain.enums import Preset
from callcenter.domain.journey import CALENDAR_RULE, Looked, Mark, Sighting, VisitState
from callcenter.triggers.conditions import NOW, Facts
from callcenter.triggers.policy import RuleSpec

KNOWN_SINCE = "known_since"
"""The attribute of a customer that says when the bank's first word of them came in."""
_UNASKED: Mapping[str, datetime] = {}


@dataclass(frozen=True, slots=True)
class Clock:
    """A rule's clock on a visit: from when it counts and when it runs out."""

    anchor_at: datetime
    due_at: datetime


@dataclass(frozen=True, slots=True)
class Due:
    """A rule whose clock has run out for a visit; whether its conditions hold is still to be asked."""

    rule: RuleSpec
    clock: Clock


@dataclass(frozen=True, slots=True)
class Look:
    """What a look at a visit found: what has run out, how far each group was looked at, when to look next."""

    due: tuple[Due, ...]
    looked: Mapping[str, Looked]
    wake_at: datetime | None


class RuleGroup:
    """The rules of a step that count from the same anchor, the shortest span first.

    Between them one position says how far a visit was looked at, however many rules there are. A rule with a
    band is alone in its group, for each visit has a wait of its own; before its wait runs out, the shortest of
    the band does, and from that moment the visit is one by which the waits are judged.
    """

    def __init__(self, name: str, rules: Iterable[RuleSpec]) -> None:
        self.name = name
        self.rules = sorted(rules, key=lambda rule: (rule.after, not rule.enters_band, rule.key))
        self.afters = [rule.after for rule in self.rules]
        self.banded = self.rules[0] if self.rules[0].band and not self.rules[0].enters_band else None
        self._by_wait: dict[timedelta, RuleGroup] = {}

    def of_visit(self, visit: str) -> "RuleGroup":
        """Return the group as it is for a visit, known by its identity."""
        if self.banded is None or self.banded.band is None:
            return self
        drawn = self.banded.drawn_for(visit)
        if drawn.after not in self._by_wait:
            entry = replace(drawn, after=self.banded.band.shortest, enters_band=True)
            self._by_wait[drawn.after] = RuleGroup(self.name, (entry, drawn))
        return self._by_wait[drawn.after]


@dataclass(frozen=True)
class StepRules:
    """The rules that watch one step."""

    rules: tuple[RuleSpec, ...]

    @cached_property
    def has_bands(self) -> bool:
        """Whether a wait is drawn for each visit."""
        return any(rule.band for rule in self.rules)

    @cached_property
    def groups(self) -> tuple[RuleGroup, ...]:
        """The rules by what they count from."""
        found: dict[str, list[RuleSpec]] = {}
        for rule in self.rules:
            found.setdefault(_group_of(rule), []).append(rule)
        return tuple(RuleGroup(name, rules) for name, rules in found.items())


NO_RULES = StepRules(())


def _group_of(rule: RuleSpec) -> str:
    """Name what a rule counts from; rules of the same name have the same anchor on every visit."""
    anchor = _anchor_of(rule)
    return f"{anchor}~{rule.key}" if rule.band else anchor


def _anchor_of(rule: RuleSpec) -> str:
    if rule.preset is Preset.DWELL:
        return "entered"
    if rule.preset is Preset.GONE_QUIET:
        return "activity"
    said = orjson.dumps(rule.where, option=orjson.OPT_SORT_KEYS).decode() if rule.where else ""
    if rule.preset is Preset.TROUBLE:
        within = "" if rule.within is None else f"/{rule.within // timedelta(milliseconds=1)}"
        return f"trouble:{'|'.join(_trouble_keys(rule))}:{rule.times}{within}{said}"
    dated = f"@{rule.key}" if rule.date else ""
    return f"{rule.preset.value}:{rule.event or ''}{dated}{said}"


def clock_of(rule: RuleSpec, visit: VisitState) -> Clock | None:
    """Say when the rule runs out for this visit, or None when it does not count on it (any more)."""
    if not visit.is_open or visit.step != rule.step:
        return None
    anchor = _anchor(rule, visit)
    if anchor is None:
        return None
    due = anchor + rule.after
    return None if _is_off(rule, visit, anchor, due) else Clock(anchor, due)


def _is_off(rule: RuleSpec, visit: VisitState, anchor: datetime, due: datetime) -> bool:
    return any(_happened(visit, key, anchor, due) for key in rule.unless if key in visit.marks)


def _anchor(rule: RuleSpec, visit: VisitState) -> datetime | None:
    if rule.preset is Preset.DWELL:
        return visit.entered_at
    if rule.preset is Preset.GONE_QUIET:
        return visit.last_activity_at
    if rule.preset is Preset.TROUBLE:
        return _kth_trouble(rule, visit)
    if not rule.event:
        return visit.entered_at
    mark = visit.marks.get(rule.event)
    if mark is None:
        return None
    if rule.picks_events:
        matching = [one.at for one in mark.sightings if _counts(rule, one)]
        if not matching:
            return None
        return matching[0] if rule.preset is Preset.ABSENCE else matching[-1]
    return mark.first_at if rule.preset is Preset.ABSENCE else mark.last_at


def _counts(rule: RuleSpec, sighting: Sighting) -> bool:
    """Whether an event of the right name is one the rule waits for."""
    if rule.date is not None and sighting.properties.get(CALENDAR_RULE) != rule.key:
        return False
    return rule.matches(_said(sighting))


def _said(sighting: Sighting) -> Facts:
    return {f"event.{name}": value for name, value in sighting.properties.items()}


def _trouble_keys(rule: RuleSpec) -> tuple[str, ...]:
    return rule.errors or ((rule.event,) if rule.event else ())


def _kth_trouble(rule: RuleSpec, visit: VisitState) -> datetime | None:
    """When trouble came for the k-th or a later time; with `within`, k times inside that span."""
    marks = [visit.marks[key] for key in _trouble_keys(rule) if key in visit.marks]
    if not rule.where and rule.within is None:
        if sum(mark.count for mark in marks) < rule.times:
            return None
        return max((mark.last_at for mark in marks), default=None)
    times = sorted(_times_matching(rule, marks))
    for place in range(len(times) - 1, rule.times - 2, -1):
        if rule.within is None or times[place] - times[place - rule.times + 1] <= rule.within:
            return times[place]
    return None


def _times_matching(rule: RuleSpec, marks: Iterable[Mark]) -> Iterable[datetime]:
    for mark in marks:
        for one in mark.sightings:
            if not rule.where or _counts(rule, one):
                yield one.at


def _happened(visit: VisitState, key: str, after: datetime, until: datetime) -> bool:
    """Whether an event came in (after, until]; an event at exactly the deadline is in time."""
    mark = visit.marks.get(key)
    return mark is not None and (
        after < mark.first_at <= until or any(after < one.at <= until for one in mark.sightings)
    )


def look_at(
    step: StepRules,
    visit: VisitState,
    *,
    fired: Collection[str],
    looked: Mapping[str, Looked],
    lateness: timedelta,
    now: datetime,
    identity: str = "",
) -> Look:
    """Say which rules of a visit's step have run out by `now`, highest priority first, and when to look next.

    `fired` are the rules that need no more looks; `looked` says how far each group of rules was looked at
    before, which is not looked at again. A deadline is looked at `lateness` after it, one at its event at
    once, and a wake-up never lies in the past of `now`: one clock per visit, the earliest of its rules.
    `identity` names the visit, from which its waits are drawn. What is due also says when a visit enters a band
    (`enters_band`): that is no firing.
    """
    if not visit.is_open:
        return Look((), {}, None)
    due: list[Due] = []
    news: dict[str, Looked] = {}
    wakes: list[datetime] = []
    for group in (one.of_visit(identity) for one in step.groups):
        anchor = _anchor(group.rules[0], visit)
        if anchor is None:
            continue
        before = looked.get(group.name)
        place = bisect_right(group.afters, before.after) if before and before.anchor_at == anchor else 0
        begun = place
        for rule in group.rules[begun:]:
            due_at = anchor + rule.after
            wake_at = due_at + lateness if rule.after else due_at
            counts = rule.key not in fired and not _is_off(rule, visit, anchor, due_at)
            if wake_at > now:
                if counts:
                    wakes.append(wake_at)
                    break
            elif counts:
                due.append(Due(rule, Clock(anchor, due_at)))
            if wake_at <= now:
                place += 1
        if place > begun:
            news[group.name] = Looked(anchor, group.afters[place - 1])
    due.sort(key=lambda one: (-one.rule.priority, one.rule.key))
    return Look(tuple(due), news, min(wakes, default=None))


def facts_of(
    visit: VisitState,
    customer: Mapping[str, Any],
    at: datetime,
    history: Mapping[str, datetime] = _UNASKED,
    entry_keys: Sequence[str] = (),
) -> Facts:
    """Collect what conditions may speak of: the customer's attributes, the visit and the history, as of `at`.

    `history` says when something happened last, by the fields' names; a field that is not in it is unknown.
    `entry_keys` are the events that enter the visit's step.
    """
    facts: dict[str, Any] = {f"customer.{name}": value for name, value in customer.items()}
    facts |= {f"visit.{name}": value for name, value in visit.facts.items()}
    facts |= {
        "visit.minutes": (at - visit.entered_at).total_seconds() / 60,
        "visit.errors": visit.errors,
        "visit.last_error": visit.last_error,
        "visit.last_error_reason": visit.last_error_reason,
        "visit.entries": sum(visit.marks[key].count for key in entry_keys if key in visit.marks),
        NOW: at,
        **history,
    }
    known_since = customer.get(KNOWN_SINCE)
    if isinstance(known_since, datetime):
        facts["customer.known_days"] = (at - known_since).total_seconds() / 86_400
    return facts


def still_stands(rule: RuleSpec, fired_anchor: datetime, visit: VisitState) -> bool:
    """Whether the reason of a firing still holds: on the step, and for a quiet customer still quiet."""
    if not visit.is_open or visit.step != rule.step:
        return False
    if rule.preset is Preset.GONE_QUIET:
        return visit.last_activity_at <= fired_anchor
    return not any(_happened(visit, key, fired_anchor, visit.last_activity_at) for key in rule.unless)
