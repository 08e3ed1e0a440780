"""One rule's effect in full: evidence week by week, the sample ratio, the variants of its scripts."""

from collections.abc import Sequence
from datetime import datetime

from flask_babel import gettext
from sqlmodel import Session

from callcenter.learning.effect_queries import WeekCounts, counts_by_week, still_there
from callcenter.learning.queries import RuleCounts
from callcenter.learning.rules import ArmCounts, EffectVerdict, RuleEffect, effect_of_rule
from callcenter.learning.script_queries import standings_of_script
from callcenter.learning.variants import Standing, StandingVerdict
from callcenter.reporting.effects import scripts_of_rule
from callcenter.triggers.queries import RuleSet
from callcenter.web.edge import chosen, language
from callcenter.web.pages import effects as page
from scripts_library.catalog import Catalog
from scripts_library.model import UnknownScript

DECIDED_AT = 20.0
"""Evidence at which a verdict falls: 1 / 0.05."""


def effect_detail(
    session: Session,
    rules: RuleSet,
    key: str,
    counts: RuleCounts,
    effect: RuleEffect,
    catalog: Catalog,
    now: datetime,
    *,
    verdict: str,
    people_href: str,
) -> page.EffectDetail:
    """Return the chosen rule in full, over all the time its hold-out stayed as it is."""
    rule = rules.versions[key][-1]
    spec = rule.spec
    difference, arms = effect.difference, counts.arms
    both = arms.assigned + arms.held_out
    weekly = (
        _evidence(counts_by_week(session, key, now), counts.share_drawn(spec.holdout)) if difference else ()
    )
    there, there_held_out = still_there(session, key)
    decided = next((week for week, one in enumerate(weekly, 1) if one >= DECIDED_AT), None)
    return page.EffectDetail(
        label=chosen(spec.title, key),
        version=rule.version,
        treated_share=effect.converted_of_assigned.value if difference else None,
        held_share=effect.converted_of_held_out.value if difference else None,
        low=difference.low * 100 if difference else None,
        high=difference.high * 100 if difference else None,
        verdict=verdict,
        held_out_share=arms.held_out / both if both else None,
        held_out_set=counts.share_drawn(spec.holdout),
        ratio_in_order=effect.verdict is not EffectVerdict.SAMPLE_RATIO_FAILS,
        evidence=weekly,
        decided_week=decided,
        there_assigned=there if there[1] else None,
        there_held_out=there_held_out if there_held_out[1] else None,
        variants=_variants(session, key, catalog, now),
        people_href=people_href if both else None,
        variants_title=gettext("Script variants against the others, pp"),
    )


def _evidence(weeks: Sequence[WeekCounts], holdout: float) -> tuple[float, ...]:
    """The e-value as it stood at the end of each week; 1, no evidence, before both arms have anybody."""
    return tuple(
        effect_of_rule(
            ArmCounts(
                fired=week.assigned + week.held_out,
                held_out=week.held_out,
                assigned=week.assigned,
                called=0,
                reached=0,
                converted_assigned=week.converted_assigned,
                converted_held_out=week.converted_held_out,
            ),
            holdout,
        ).evidence
        or 1.0
        for week in weeks
    )


def _variants(session: Session, key: str, catalog: Catalog, now: datetime) -> tuple[page.VariantEffect, ...]:
    """The variants of each script the rule's call tasks were opened with, most customers first.

    Of two variants the second is told against the first, which says it all; of more, each against the others.
    """
    found = []
    for script_id in sorted(scripts_of_rule(session, key)):
        try:
            script = catalog.get(script_id, language())
        except UnknownScript:
            continue  # a script that is no longer in the library has nothing to be chosen between
        told = standings_of_script(session, script.id, script.version, script.variants, now)
        customers = sum(one.n for one in told)
        shown = told[1:] if len(told) == 2 else told
        found += [row for one in shown if (row := _variant(one, script.title, customers))]
    return tuple(sorted(found, key=lambda one: -one.visits))


def _variant(one: Standing, title: str, customers: int) -> page.VariantEffect | None:
    if one.difference is None:
        return None
    return page.VariantEffect(
        label=gettext("%(script)s, variant %(name)s", script=title, name=one.variant),
        difference=one.difference.point * 100,
        low=one.difference.low * 100,
        high=one.difference.high * 100,
        visits=customers,
        is_known=one.verdict in (StandingVerdict.BETTER, StandingVerdict.WORSE),
    )
