"""Why a rule fired for a customer, or why not, line by line in English and in Chinese. Pure."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Any

from callcenter.domain import trace as t
from callcenter.domain.enums import BarReason, FiringFate, Preset, RuleState
from callcenter.domain.journey import JourneyDefinition
from callcenter.reporting.rule_terms import (
    comparison_words,
    event_name,
    fields_of,
    list_words,
    span_words,
    step_name,
    tidy,
    value_words,
)
from callcenter.reporting.trace_phrases import CODES, PHRASES

LANGUAGES = ("en", "zh")


@dataclass(frozen=True, slots=True)
class TraceLine:
    """A step of a trace to be read: which way it speaks, the text, and how far it is set in."""

    way: t.Way
    text: str
    depth: int = 0


@dataclass(frozen=True)
class TraceWords:
    """Turns the steps of a trace into lines, for a journey, a language (en or zh) and the reader's zone."""

    journey: JourneyDefinition
    language: str
    zone: tzinfo
    now: datetime

    def lines(self, trace: t.Trace) -> tuple[TraceLine, ...]:
        """Every step as a line."""
        return tuple(TraceLine(step.way, self.line(step), getattr(step, "depth", 0)) for step in trace.steps)

    def headline(self, trace: t.Trace) -> str:
        """The answer in a sentence: what decided it."""
        fired = any(isinstance(step, t.Fired) for step in trace.steps)
        decided = trace.because
        if decided is None:
            return self._say("nothing_decided")
        form = "fired_and" if fired else "waiting" if decided.way is t.Way.WAITS else "not_fired"
        if fired and isinstance(decided, t.Fired):
            return self.line(decided)
        return self._say(form, why=self.line(decided))

    def line(self, step: t.TraceStep) -> str:
        """One step as a sentence."""
        return tidy(_LINES[type(step)](self, step), self._language)

    @property
    def _language(self) -> str:
        return self.language if self.language in LANGUAGES else "en"

    def _say(self, phrase: str, **words: object) -> str:
        return PHRASES[self._language][phrase].format(**words)

    def _code(self, code: str | None) -> str:
        return CODES[self._language].get(code or "", (code or "").replace("_", " "))

    def _bar(self, code: str) -> str:
        """A reason of the gate's; a refused offer is not a call task that died because of a refusal."""
        return self._code("gate_refused" if code == BarReason.REFUSED else code)

    def _time(self, at: datetime) -> str:
        local, today = at.astimezone(self.zone), self.now.astimezone(self.zone).date()
        return local.strftime("%H:%M:%S" if local.date() == today else "%Y-%m-%d %H:%M:%S")

    def _span(self, span: timedelta) -> str:
        return span_words(span, self._language)

    def _step(self, step: str) -> str:
        return step_name(self.journey, step, self._language)

    def _events(self, keys: tuple[str, ...]) -> str:
        return list_words([event_name(self.journey, key, self._language) for key in keys], self._language)

    def _rule(self, step: t.RuleStands) -> str:
        words = {"version": step.version, "state": self._code(step.state), "at": self._time(step.since)}
        said = self._say("rule_live" if step.state is RuleState.LIVE else "rule_stopped", **words)
        return said + (self._say("pinned", pinned=step.pinned) if step.pinned is not None else "")

    def _never(self, step: t.NeverThere) -> str:
        if step.now_on is None:
            return self._say("never_there", step=self._step(step.step))
        return self._say("elsewhere", step=self._step(step.step), now_on=self._step(step.now_on))

    def _on_step(self, step: t.OnStep) -> str:
        words = {"step": self._step(step.step), "at": self._time(step.entered_at), "seq": step.visit_seq}
        if step.closed_at is None:
            return self._say("on_step", **words)
        return self._say("left_step", **words, until=self._time(step.closed_at), end=self._code(step.end))

    def _not_watched(self, step: t.NotWatched) -> str:
        return self._say("not_watched", at=self._time(step.opened_at))

    def _anchor(self, step: t.Anchor) -> str:
        events = self._events(step.events)
        if step.at is None:
            words = {"events": events, "seen": step.seen, "times": step.times}
            if step.times == 1:
                return self._say("no_event" if not step.seen else "no_match", **words)
            if step.within is not None:
                return self._say("too_few_within", **words, within=self._span(step.within))
            return self._say("too_few", **words)
        phrase = {Preset.GONE_QUIET: "last_activity", Preset.DWELL: "entered"}.get(step.preset, "event_at")
        if phrase == "event_at" and not step.events:
            phrase = "entered"
        return self._say(phrase, at=self._time(step.at), events=events)

    def _deadline(self, step: t.Deadline) -> str:
        words = {"due": self._time(step.due_at), "wake": self._time(step.wake_at)}
        if step.way is not t.Way.WAITS:
            return self._say("ran_out", **words)
        phrase = "to_go" if step.left else "late_events"
        return self._say(phrase, **words, left=self._span(step.left))

    def _unless(self, step: t.Unless) -> str:
        event = self._events((step.event,))
        if step.at is None:
            return self._say("unless_not_seen", event=event)
        return self._say("unless_seen", event=event, at=self._time(step.at))

    def _group(self, step: t.Group) -> str:
        return self._say(f"group_{step.word}", holds=self._say("holds" if step.holds else "fails"))

    def _leaf(self, step: t.Leaf) -> str:
        fields = fields_of(self.journey)
        said = comparison_words(step.comparison, fields, self._language)
        phrase = "leaf_holds" if step.holds else "leaf_unknown" if step.have is None else "leaf_fails"
        return self._say(phrase, comparison=said, have=self._have(step.have))

    def _have(self, value: Any) -> str:
        if isinstance(value, datetime):
            return self._say("never") if value.year == 1 else self._time(value)
        return value_words(value, self._language) or self._say("empty")

    def _looked(self, step: t.Looked) -> str:
        return self._say("was_looked" if step.was_looked else "not_looked")

    def _rival(self, step: t.Rival) -> str:
        return self._say("rival", rule=step.rule_key, priority=step.priority)

    def _fired(self, step: t.Fired) -> str:
        return self._say("fired", at=self._time(step.at), version=step.version, late=self._span(step.late))

    def _decided(self, step: t.Decided) -> str:
        if step.fate is None:
            return self._say("undecided" if step.trouble is None else "undecidable", trouble=step.trouble)
        if step.fate is FiringFate.HELD_OUT:
            return self._say("held_out", share=f"{(step.share or 0) * 100:g}")
        if step.fate is FiringFate.TASK:
            return self._say("became_task")
        return self._say(f"suppressed_{step.reason}", other=step.other or "")

    def _gate(self, step: t.GateSaid) -> str:
        words = {"point": self._code(f"at_{step.point}"), "at": self._time(step.at)}
        if step.may_call:
            return self._say("gate_yes", **words)
        reasons = list_words([self._bar(one) for one in step.reasons], self._language)
        if step.next_allowed_at is None:
            return self._say("gate_never", **words, reasons=reasons)
        return self._say("gate_not_now", **words, reasons=reasons, next=self._time(step.next_allowed_at))

    def _task(self, step: t.TaskIs) -> str:
        words = {"state": self._code(step.state), "at": self._time(step.at)}
        if step.cancel_reason is not None:
            return self._say("task_canceled", **words, reason=self._code(step.cancel_reason))
        if step.why_no_call:
            why = list_words([self._bar(one) for one in step.why_no_call], self._language)
            return self._say("task_waits", **words, why=why)
        return self._say("task", **words)

    def _called(self, step: t.Called) -> str:
        if step.result is None:
            return self._say("calling", at=self._time(step.at))
        return self._say("called", at=self._time(step.at), result=self._code(f"call_{step.result}"))

    def _converted(self, step: t.Converted) -> str:
        return self._say("converted", at=self._time(step.at))


_LINES: Mapping[type, Callable[[TraceWords, Any], str]] = {
    t.RuleStands: TraceWords._rule,
    t.NeverThere: TraceWords._never,
    t.OnStep: TraceWords._on_step,
    t.NotWatched: TraceWords._not_watched,
    t.Anchor: TraceWords._anchor,
    t.Deadline: TraceWords._deadline,
    t.Unless: TraceWords._unless,
    t.Group: TraceWords._group,
    t.Leaf: TraceWords._leaf,
    t.Looked: TraceWords._looked,
    t.Rival: TraceWords._rival,
    t.Fired: TraceWords._fired,
    t.Decided: TraceWords._decided,
    t.GateSaid: TraceWords._gate,
    t.TaskIs: TraceWords._task,
    t.Called: TraceWords._called,
    t.Converted: TraceWords._converted,
}


def trace_words(journey: JourneyDefinition, language: str, now: datetime, zone: tzinfo = UTC) -> TraceWords:
    """Return what turns a trace into lines for one reader."""
    return TraceWords(journey, language, zone, now)
