"""Whether all customers of a rule should hear one variant, by what its scripts' draws have decided; reads only."""

from datetime import datetime

from sqlmodel import Session

from callcenter.learning.script_queries import drawn_cells, newest_allocation, shares_of
from callcenter.learning.variants import BestVariant, best_variant
from callcenter.reporting.effects import scripts_of_rule

FEWEST_VARIANTS = 3
"""With two the halves of the rule's own customers tell (`learning/queries.py: variants_per_rule`)."""


def best_of_rule(session: Session, rule_key: str, now: datetime) -> BestVariant | None:
    """Return the variant that is decided to be best wherever a rule's scripts offer it; None while there is none.

    A rule that names a variant has its agents say it in every script that has it, so each of these must have
    decided for it, and one of them among three variants or more. Told is the decision that rests on least.
    """
    offered: list[tuple[frozenset[str], BestVariant | None]] = []
    for script_id in scripts_of_rule(session, rule_key):
        newest = newest_allocation(session, script_id)
        variants = frozenset(shares_of(newest)) if newest else frozenset()
        if newest and len(variants) > 1:
            cells = drawn_cells(session, script_id, newest.script_version, now)
            offered.append((variants, best_variant(cells, sorted(variants))))
    decided = {one.variant for variants, one in offered if one and len(variants) >= FEWEST_VARIANTS}
    for name in sorted(decided):
        told = [one for variants, one in offered if name in variants]
        best = [one for one in told if one and one.variant == name]
        if len(best) == len(told):
            return min(best, key=lambda one: one.evidence)
    return None
