"""The studio's journey map and rule list from what the reports say, in the viewer's words."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from itertools import dropwhile
from urllib.parse import urlencode

from flask_babel import gettext
from sqlmodel import Session

from callcenter.domain.enums import Preset, RuleState
from callcenter.domain.journey import JourneyDefinition
from callcenter.errors import NotFound
from callcenter.journeys.queries import journeys_loaded
from callcenter.learning.queries import RuleCounts, counts_per_rule
from callcenter.reporting.analyses.asked import EVERYBODY, Model, Question, Sample, sample_for
from callcenter.reporting.analyses.kept import complete_since, whole_spans
from callcenter.reporting.analyses.people import events_expected
from callcenter.reporting.analyses.run import analyse
from callcenter.reporting.effects import Lately, firings_lately, switched_by
from callcenter.reporting.funnel import ErrorShare, Span, StepCounts, earlier_spans, saw_last, step_counts
from callcenter.reporting.recovery import Recovery, recovery_by_step
from callcenter.reporting.rules_in_words import rule_in_words
from callcenter.reporting.surges import surges_open
from callcenter.triggers.queries import RuleSet, RuleVersion, current_rules
from callcenter.web.analyses_asked import PATH as ANALYSES
from callcenter.web.analyses_words import Names, left_out_words, path_parts, sampled_words
from callcenter.web.counts import ngettext
from callcenter.web.edge import chosen, frame, language, zone
from callcenter.web.effects_view import difference_in_points, effect_of, verdict_code
from callcenter.web.formats import percent
from callcenter.web.pages import studio as page
from callcenter.web.pages.frame import ShareRow
from callcenter.web.rules_view import draft_rows
from callcenter.web.surge_words import surge_href, surge_text, surge_title
from callcenter.web.words import error_words, step_words

WINDOWS = (1, 7, 28)
USUAL_JOURNEY = "loan"
RULE_DAYS = 28
SHOWN_ERRORS = 6
MAP_BUDGET = 120_000
"""How many events the map and its earlier weeks may read: the page asks more beside."""


def journeys_page(
    session: Session, journey_id: str | None, days: int, step: str | None, now: datetime
) -> page.JourneysPage:
    """Return the map of a journey over the last days, today included, with one drop chosen.

    Without a step the one that loses most is chosen. Raises NotFound for a journey there is not.
    """
    days = days if days in WINDOWS else 7
    journeys = journeys_loaded(session)
    journey = _journey(journeys, journey_id)
    span = _span(days, now)
    query = {"journey": journey.id, "days": str(days)} if journey else {"days": str(days)}
    # Today changes while one looks; longer windows are read once, for they compare weeks of events.
    state_url = "/studio/state?" + urlencode(query | ({"step": step} if step else {})) if days == 1 else None
    counts: list[StepCounts] = []
    curves: Mapping[str, Recovery] = {}
    drop, sample, left_out = None, EVERYBODY, ""
    if journey:
        every = earlier_spans(span, days)
        earlier = whole_spans(session, every)
        left_out = left_out_words(complete_since(session, span.start, span.end), len(every) - len(earlier))
        expected = events_expected(session, journey.id, span.start, span.end)
        sample = sample_for(expected, MAP_BUDGET // (1 + len(earlier)))
        counts = step_counts(session, journey.id, list(journey.order), span, earlier, sample)
        # In a short window nobody may have come to the first steps: it begins where somebody did.
        counts = list(dropwhile(lambda one: not one.entered, counts))
        drop = _chosen_drop(journey, counts, step)
        curves = recovery_by_step(session, journey.id, span)
    return page.JourneysPage(
        frame=frame("journeys", state_url=state_url),
        journey=chosen(journey.title, journey.id) if journey else gettext("No journey"),
        from_on=span.start.astimezone(zone()).date(),
        to_on=now.astimezone(zone()).date(),
        window_days=days,
        journeys=_journey_choices(journeys, journey, days),
        windows=_window_choices(query, days),
        steps=tuple(_step(journey, one, query, drop, curves.get(one.step)) for one in counts)
        if journey
        else (),
        drop=_drop(session, journeys, journey, drop, span, curves.get(drop.step), sample, query)
        if journey and drop
        else None,
        surges=_surges(session, journeys, journey),
        analysis_href=f"{ANALYSES}?{urlencode({**query, 'model': 'funnel'})}" if journey else None,
        csv_href=f"{ANALYSES}.csv?{urlencode({**query, 'model': 'funnel'})}" if journey else None,
        counted=" ".join(one for one in (sampled_words(sample), left_out) if one),
    )


def _surges(
    session: Session, journeys: Mapping[str, JourneyDefinition], here: JourneyDefinition | None
) -> tuple[page.SurgeNote, ...]:
    """The sudden rises of the journey that is shown."""
    return tuple(
        page.SurgeNote(
            surge_title(one, journeys),
            surge_text(one),
            surge_href(one),
            "/studio/rules/new?" + urlencode({"journey": one.journey, "step": one.step}),
        )
        for one in surges_open(session)
        if here is not None and one.journey == here.id
    )


def _journey(journeys: Mapping[str, JourneyDefinition], wanted: str | None) -> JourneyDefinition | None:
    if wanted is not None and wanted not in journeys:
        raise NotFound("There is no such journey.")
    if wanted is None:
        wanted = USUAL_JOURNEY if USUAL_JOURNEY in journeys else min(journeys, default=None)
    return journeys[wanted] if wanted else None


def _span(days: int, now: datetime) -> Span:
    """The viewer's days: today alone, or today and those before, up to now."""
    midnight = now.astimezone(zone()).replace(hour=0, minute=0, second=0, microsecond=0)
    return Span(midnight - timedelta(days=days - 1), now + timedelta(microseconds=1))


def _journey_choices(
    journeys: Mapping[str, JourneyDefinition], here: JourneyDefinition | None, days: int
) -> tuple[page.Choice, ...]:
    return tuple(
        page.Choice(
            chosen(one.title, one.id),
            "/studio?" + urlencode({"journey": one.id, "days": days}),
            here is not None and one.id == here.id,
        )
        for one in journeys.values()
    )


def _window_choices(query: Mapping[str, str], days: int) -> tuple[page.Choice, ...]:
    return tuple(
        page.Choice(
            gettext("Today") if window == 1 else ngettext("%(num)s day", "%(num)s days", window),
            "/studio?" + urlencode({**query, "days": window}),
            window == days,
        )
        for window in WINDOWS
    )


def _chosen_drop(
    journey: JourneyDefinition, counts: Sequence[StepCounts], step: str | None
) -> StepCounts | None:
    drops = [one for one in counts if one.step != journey.goal and one.entered]
    asked = [one for one in drops if one.step == step]
    return asked[0] if asked else max(drops, key=lambda one: one.lost, default=None)


def _step(
    journey: JourneyDefinition,
    counts: StepCounts,
    query: Mapping[str, str],
    drop: StepCounts | None,
    curve: Recovery | None,
) -> page.FunnelStep:
    is_goal = counts.step == journey.goal
    return page.FunnelStep(
        key=counts.step,
        label=step_words(journey, counts.step, language()),
        entered=counts.entered,
        lost=None if is_goal else counts.lost,
        href="/studio?" + urlencode({**query, "step": counts.step}),
        usual_loss=None if is_goal else counts.usual_loss,
        median_seconds=None if counts.median_seconds is None else round(counts.median_seconds),
        back_share=curve.back_in_an_hour if curve else None,
        top_error=_top_error(journey, counts.top_error),
        is_chosen=drop is not None and counts.step == drop.step,
    )


def _top_error(journey: JourneyDefinition, error: ErrorShare | None) -> str | None:
    if error is None or error.name is None:
        return None
    words = error_words(journey, error.name, error.reason, language())
    share = percent(error.count / error.of, 0)
    return gettext("%(error)s, %(share)s of errors", error=words, share=share)


def _drop(
    session: Session,
    journeys: Mapping[str, JourneyDefinition],
    journey: JourneyDefinition,
    drop: StepCounts,
    span: Span,
    curve: Recovery | None,
    sample: Sample,
    query: Mapping[str, str],
) -> page.Drop:
    seen = saw_last(session, journey.id, list(journey.order), drop.step, span, sample)
    place = {"journey": journey.id, "step": drop.step}
    behind = {"model": "funnel", "row": drop.step, "of": "", "part": "1"}
    return page.Drop(
        rule_href="/studio/rules/new?" + urlencode(place),
        people_href=f"{ANALYSES}/people?" + urlencode({**query, **behind}) if drop.lost else None,
        path_href=f"{ANALYSES}?" + urlencode({**query, "model": "path", "step": drop.step}),
        voice_href="/studio/voice?" + urlencode(place),
        went_next=_went_next(session, journey, drop.step, span),
        step=step_words(journey, drop.step, language()),
        lost=drop.lost,
        entered=drop.entered,
        usual_loss=drop.usual_loss,
        curve=tuple(page.CurvePoint(*point) for point in curve.points) if curve else (),
        curve_minute=_quiet_minutes(current_rules(session, journeys), journey.id, drop.step),
        curve_visits=curve.pauses if curve else 0,
        saw_last=tuple(
            ShareRow(
                error_words(journey, one.name, one.reason, language())
                if one.name
                else gettext("Left without an error"),
                one.count,
                one.of,
            )
            for one in seen[:SHOWN_ERRORS]
        ),
    )


def _went_next(session: Session, journey: JourneyDefinition, step: str, span: Span) -> tuple[ShareRow, ...]:
    """What those who stopped at a step did next, most frequent first."""
    asked = Question(
        Model.PATH, journey.id, tuple(journey.order), journey.goal, span.start, span.end, zone().key, step=step
    )  # fmt: skip
    lines = [
        one
        for one in analyse(session, asked, budget=MAP_BUDGET // 2).lines
        if (one.label or "").startswith("3|")
    ]
    lines.sort(key=lambda one: -(one.figures["people"] or 0))
    names = Names(journey)
    return tuple(
        ShareRow(
            path_parts(one.label or "", names)[2],
            round(one.figures["people"] or 0),
            round(one.figures["all"] or 0),
        )
        for one in lines[:SHOWN_ERRORS]
    )


def _quiet_minutes(rules: RuleSet, journey: str, step: str) -> float:
    """After how many quiet minutes a live rule calls on this step; 5 where none does."""
    specs = [one.spec for one in rules.all_current() if one.state is RuleState.LIVE]
    quiet = [
        spec.after.total_seconds() / 60
        for spec in specs
        if (spec.journey, spec.step, spec.preset) == (journey, step, Preset.GONE_QUIET)
    ]
    return min(quiet, default=5.0)


def rules_page(session: Session, now: datetime) -> page.RulesPage:
    """Return every live or paused rule in words, its counts of the last 28 days, and its verdict so far."""
    journeys = journeys_loaded(session)
    rules = current_rules(session, journeys)
    lately = firings_lately(session, now - timedelta(days=RULE_DAYS), now)
    counts = counts_per_rule(session)
    switched = switched_by(session)
    ordered = sorted(
        rules.all_current(),
        key=lambda one: (one.spec.journey, journeys[one.spec.journey].order[one.spec.step]),
    )
    return page.RulesPage(
        frame=frame("rules", live_url="/live/studio", state_url="/studio/rules/state"),
        window_days=RULE_DAYS,
        rules=tuple(
            _rule(
                rule,
                journeys[rule.spec.journey],
                lately.get(rule.spec.key, Lately()),
                counts.get(rule.spec.key),
                switched.get(rule.spec.key),
            )
            for rule in ordered
        ),
        drafts=draft_rows(session),
    )


def _rule(
    rule: RuleVersion,
    journey: JourneyDefinition,
    lately: Lately,
    counts: RuleCounts | None,
    switched: tuple[datetime, str | None] | None,
) -> page.RuleRow:
    spec = rule.spec
    effect = effect_of(counts, spec.holdout) if counts else None
    # An act recorded before the state began was on an earlier version or has been undone since.
    by = switched[1] if switched and switched[0] >= rule.state_at else None
    return page.RuleRow(
        key=spec.key,
        label=chosen(spec.title, spec.key),
        version=rule.version,
        words=rule_in_words(spec, rule.conditions, journey, language()),
        journey=chosen(journey.title, journey.id),
        state=rule.state.value,
        since=rule.state_at,
        since_by=gettext("by %(name)s", name=by) if by else None,
        fired=lately.fired,
        called=lately.called,
        held_out=lately.held_out,
        verdict=verdict_code(effect.verdict) if effect else None,
        difference=difference_in_points(effect) if effect else None,
        may_switch=True,
    )
