"""Whether calling brings customers back: the effect of every rule beside its hold-out, never without it."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from math import ceil

from flask_babel import gettext
from sqlmodel import Session

from callcenter.domain.costs import Spent, cost_each, cost_in_all, together
from callcenter.journeys.queries import journeys_loaded
from callcenter.learning.effect_queries import calls_avoided, spent_by_rule
from callcenter.learning.multiplicity import hold_together
from callcenter.learning.queries import RuleCounts, counts_per_rule
from callcenter.learning.rules import (
    ArmCounts,
    EffectVerdict,
    RuleEffect,
    effect_of_rule,
)
from callcenter.learning.together import counts_of_all_rules
from callcenter.learning.windows import Part, Window
from callcenter.triggers.policy import RuleSpec
from callcenter.triggers.queries import RuleVersion, current_rules
from callcenter.web.edge import chosen, frame, runtime, zone
from callcenter.web.effect_detail_view import effect_detail
from callcenter.web.effects_asked import PATH, Asked, window_part
from callcenter.web.pages import effects as page
from callcenter.web.pages.frame import Money
from scripts_library.catalog import Catalog

NOBODY = RuleCounts(ArmCounts(0, 0, 0, 0, 0, 0, 0), 0, 0.0)
TOGETHER_SINCE = timedelta(days=365)
"""All rules together are judged by the firings of a year."""
PACE_AFTER_WEEKS = 1 / 7
"""A pace from less than a day of firings says nothing about weeks to come."""
_CODES = {
    EffectVerdict.HELPS: "helps",
    EffectVerdict.HARMS: "harms",
    EffectVerdict.NOT_KNOWN: "not_known",
    EffectVerdict.TOO_EARLY: "not_known",
    EffectVerdict.NO_HOLDOUT: "no_holdout",
    EffectVerdict.SAMPLE_RATIO_FAILS: "sample_ratio",
}


def effect_of(counts: RuleCounts, holdout: float, usual_rate: float | None = None) -> RuleEffect:
    """Return the effect of a rule from its counts; weeks are told once a day of firings gives a pace.

    `usual_rate` is the share that converts without a call elsewhere: the wait is planned from it at first.
    """
    arms = counts.arms
    holdout = counts.share_drawn(holdout)
    pace = (arms.assigned + arms.held_out) / counts.weeks if counts.weeks >= PACE_AFTER_WEEKS else None
    return effect_of_rule(arms, holdout, firings_per_week=pace, usual_rate=usual_rate)


def usual_rate_of(counts: Iterable[RuleCounts]) -> float | None:
    """Return the share of all held-out customers who convert, None while none has."""
    every = [one.arms for one in counts]
    held_out, converted = sum(one.held_out for one in every), sum(one.converted_held_out for one in every)
    return converted / held_out if converted else None


def verdict_code(verdict: EffectVerdict) -> str:
    """Return the page's code of a verdict."""
    return _CODES[verdict]


def difference_in_points(effect: RuleEffect) -> float | None:
    """Return the effect in percentage points, None where none may be shown."""
    return effect.difference.point * 100 if effect.difference else None


def effects_page(
    session: Session,
    asked: Asked,
    catalog: Catalog,
    now: datetime,
    hour: tuple[Decimal, str] | None = None,
    error: str | None = None,
) -> page.EffectsPage:
    """Return one row per rule that has fired, the chosen one in full; the first is chosen unless one is asked for.

    Counts are of the window that is asked for; effect, cost and verdict stay those of all the time. `hour` is what
    an hour of an agent's time costs, and its currency. `error`: why the window that was typed is none.
    """
    rules = current_rules(session, journeys_loaded(session))
    counts = {key: one for key, one in counts_per_rule(session).items() if rules.current(key)}
    window = asked.window(rules, now)
    shown = counts if window.is_whole else counts_per_rule(session, window)
    usual = usual_rate_of(counts.values())
    effects = {
        key: effect_of(one, rules.versions[key][-1].spec.holdout, usual) for key, one in counts.items()
    }
    held = hold_together({key: one.evidence for key, one in effects.items() if one.evidence is not None})
    order = sorted(counts, key=lambda key: (-counts[key].arms.fired, key))
    here = asked.rule if asked.rule in counts else next(iter(order), None)
    spent = spent_by_rule(session)
    weeks = max(1, ceil(max((one.weeks for one in counts.values()), default=1)))
    return page.EffectsPage(
        frame=frame("effects", state_url=asked.url(PATH + "/state")),
        window=window_part(asked, weeks, now.astimezone(zone()).date(), error),
        csv_href=asked.url(PATH + ".csv", rule=""),
        totals=_totals(session, [shown.get(key, NOBODY) for key in counts], window, effects, spent, hour),
        rows=tuple(
            _row(
                rules.versions[key][-1],
                shown.get(key, NOBODY),
                effects[key],
                asked,
                spent.get(key, Spent()),
                hour,
                is_chosen=key == here,
                holds=key in held,
                holds_out=bool(counts[key].share_drawn(rules.versions[key][-1].spec.holdout)),
            )
            for key in order
        ),
        together=_together(session, now),
        detail=effect_detail(
            session,
            rules,
            here,
            counts[here],
            effects[here],
            catalog,
            now,
            verdict=verdict_code(effects[here].verdict),
            people_href=_people_href(asked, here, Part.FIRED),
        )
        if here
        else None,
    )


def _totals(
    session: Session,
    shown: Sequence[RuleCounts],
    window: Window,
    effects: Mapping[str, RuleEffect],
    spent: Mapping[str, Spent],
    hour: tuple[Decimal, str] | None,
) -> page.EffectTotals:
    decided = [key for key, one in effects.items() if verdict_code(one.verdict) in ("helps", "harms")]
    gained = sum(one.point for key in decided if (one := effects[key].incremental_conversions))
    helped = [key for key in decided if effects[key].verdict is EffectVerdict.HELPS]
    minutes, each = None, None
    if helped:
        whole = together([spent.get(key, Spent()) for key in helped])
        won = sum(one.point for key in helped if (one := effects[key].incremental_conversions))
        minutes = whole.seconds / 60 / won if won > 0 else None
        each = cost_each(whole, won, hour)
    return page.EffectTotals(
        because_we_called=round(gained) if decided else None,
        rules_with_verdict=len(decided),
        tagged_by_agents=sum(one.tagged_converted for one in shown),
        cost_each=Money(*each) if each else None,
        agent_minutes_each=minutes,
        offers_granted=sum(one.granted for one in spent.values()),
        is_time_in_cost=hour is not None,
        held_out=sum(one.arms.held_out for one in shown),
        firings=sum(one.arms.fired for one in shown),
        calls_avoided=calls_avoided(session, window),
    )


def _together(session: Session, now: datetime) -> page.Together | None:
    """All rules at once, against the customers whom none of them calls; None while nobody is so held out."""
    share = runtime().settings.global_holdout
    if not share:
        return None
    effect = effect_of_rule(counts_of_all_rules(session, share, now - TOGETHER_SINCE), share)
    others, held_out, difference = (
        effect.converted_of_assigned,
        effect.converted_of_held_out,
        effect.difference,
    )
    if not held_out.of or not others.of:
        return None
    return page.Together(
        share=share,
        verdict=verdict_code(effect.verdict),
        converted=others.count,
        treated=others.of,
        held_converted=held_out.count,
        held_out=held_out.of,
        difference=difference.point * 100 if difference else None,
        low=difference.low * 100 if difference else None,
        high=difference.high * 100 if difference else None,
    )


def _row(
    rule: RuleVersion,
    counts: RuleCounts,
    effect: RuleEffect,
    asked: Asked,
    spent: Spent,
    hour: tuple[Decimal, str] | None,
    *,
    is_chosen: bool,
    holds: bool,
    holds_out: bool,
) -> page.EffectRow:
    spec = rule.spec
    gained = effect.incremental_conversions if effect.verdict is EffectVerdict.HELPS else None
    each = cost_each(spent, gained.point, hour) if gained else None
    arms, difference = counts.arms, effect.difference
    return page.EffectRow(
        key=spec.key,
        label=chosen(spec.title, spec.key),
        version=rule.version,
        fired=arms.fired,
        held_out=arms.held_out if holds_out else None,
        called=arms.called,
        reached=arms.reached,
        verdict=verdict_code(effect.verdict),
        href=asked.url(rule=spec.key),
        converted=arms.converted_assigned,
        treated=arms.assigned,
        held_converted=arms.converted_held_out,
        difference=difference.point * 100 if difference else None,
        low=difference.low * 100 if difference else None,
        high=difference.high * 100 if difference else None,
        evidence=effect.evidence,
        needs_firings=effect.watched_needs_more_firings or None,
        needs_weeks=None if effect.watched_weeks is None else ceil(effect.watched_weeks) or None,
        note=_note(effect, spec),
        holds_together=holds if effect.verdict in (EffectVerdict.HELPS, EffectVerdict.HARMS) else None,
        is_chosen=is_chosen,
        cost_each=Money(*each) if each else None,
        offers_granted=spent.granted,
        offers_cost=_one_currency(spent),
        people={part.value: _people_href(asked, spec.key, part) for part in Part if _count_of(arms, part)},
    )


def _people_href(asked: Asked, rule_key: str, part: Part) -> str:
    return asked.url(PATH + "/people", rule=rule_key, part=part.value)


def _count_of(arms: ArmCounts, part: Part) -> int:
    return {
        Part.FIRED: arms.fired,
        Part.HELD_OUT: arms.held_out,
        Part.CALLED: arms.called,
        Part.REACHED: arms.reached,
        Part.CONVERTED: arms.converted_assigned,
        Part.CONVERTED_HELD_OUT: arms.converted_held_out,
    }[part]


def _one_currency(spent: Spent) -> Money | None:
    """What the offers cost together; None for none, and where they are in several currencies."""
    whole = cost_in_all(spent, None)
    return Money(*whole) if whole else None


def _note(effect: RuleEffect, spec: RuleSpec) -> str | None:
    """Why there is no verdict, where no number of firings says it."""
    if effect.verdict is EffectVerdict.NO_HOLDOUT and spec.exempt:
        return gettext("Exempt: %(why)s", why=spec.exempt)
    if effect.verdict is EffectVerdict.NO_HOLDOUT:
        return gettext("Nobody is held out yet.") if spec.holdout else gettext("The rule holds nobody out.")
    if effect.verdict is EffectVerdict.SAMPLE_RATIO_FAILS:
        return gettext("Sample ratio fails.")
    if effect.verdict is EffectVerdict.TOO_EARLY:
        return gettext("Too few conversions yet.")
    if effect.verdict is EffectVerdict.NOT_KNOWN:
        return gettext("Probably too small to matter.") if effect.watched_needs_more_firings == 0 else None
    return None
