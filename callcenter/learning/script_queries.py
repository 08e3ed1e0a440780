"""Reads of script variants and paths; only outcomes whose window is over are counted.

A customer counts once per script, by the first call task opened with it: the draw was made then, with the
probability that is kept beside it. Whoever drew under older words of the script does not count for the new ones.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from sqlalchemy import text
from sqlmodel import Session, col, select

from callcenter.learning.rules import VariantCounts
from callcenter.learning.script_choice import even_shares
from callcenter.learning.variants import DrawnCell, Standing, standings
from callcenter.models import ScriptAllocation

VersionOf = tuple[str, int]
"""A script's id and the count of its own file's version."""

# A call led by another reason is read from that one's script: what was drawn stands in its own terms.
_FIRST = """
WITH opened AS (
    SELECT id, firing_id, customer_id, journey, created_at,
           coalesce(own_terms->>'script_id', script_id) AS script_id,
           coalesce(own_terms->>'script_version', script_version) AS script_version,
           coalesce(own_terms->>'script_variant', script_variant) AS script_variant,
           coalesce((own_terms->>'script_propensity')::float8, script_propensity) AS script_propensity,
           CASE WHEN own_terms = '{{}}' THEN script_allocated_on
                ELSE (own_terms->>'script_allocated_on')::date END AS script_allocated_on
      FROM call_task
), first AS (
    SELECT DISTINCT ON (t.script_id, t.customer_id)
           t.script_id, split_part(t.script_version, '.', 1)::int AS version, t.journey, t.script_variant,
           t.script_propensity, t.script_allocated_on, t.firing_id
      FROM opened t
     WHERE t.script_id IS NOT NULL AND t.script_variant IS NOT NULL AND t.script_propensity > 0 {only}
     ORDER BY t.script_id, t.customer_id, t.created_at, t.id
)
"""
_MATURED = text(
    _FIRST.format(only="")
    + """
SELECT f.script_id, f.version, f.journey, f.script_variant, count(*) AS n, count(o.converted_at) AS converted
  FROM first f JOIN outcome o ON o.firing_id = f.firing_id
 WHERE o.window_until <= :now
 GROUP BY 1, 2, 3, 4
"""
)
_CELLS = text(
    _FIRST.format(only="AND t.script_id = :script_id")  # noqa: S608 - constants only
    + """
SELECT f.script_variant, f.script_propensity, f.script_allocated_on, coalesce(a.agent_id::text, '') AS agent,
       count(*) AS n, count(o.converted_at) AS converted
  FROM first f JOIN outcome o ON o.firing_id = f.firing_id
  LEFT JOIN LATERAL (
       SELECT agent_id FROM contact_attempt
        WHERE firing_id = f.firing_id AND agent_id IS NOT NULL ORDER BY claimed_at LIMIT 1) a ON true
 WHERE o.window_until <= :now AND f.version = :version
 GROUP BY 1, 2, 3, 4
"""
)
_WAITING = text(
    _FIRST.format(only="AND t.script_id = :script_id")
    + """
SELECT count(*) AS n FROM first f JOIN outcome o ON o.firing_id = f.firing_id
 WHERE o.window_until > :now AND f.version = :version
"""
)
_PATHS = text("""
WITH taken AS (
    SELECT s.call_task_id, s.node, s.branch, s.objection, min(s.at) AS at
      FROM script_step s JOIN call_task t ON t.id = s.call_task_id
     WHERE t.script_id = :script_id AND split_part(t.script_version, '.', 1)::int = :version
     GROUP BY 1, 2, 3, 4
)
SELECT CASE WHEN x.objection IS NULL THEN x.node END AS node, x.branch, x.objection,
       count(DISTINCT x.call_task_id) AS calls,
       count(DISTINCT x.call_task_id) FILTER (
             WHERE o.window_until <= :now AND (o.converted_at IS NULL OR o.converted_at > x.at)) AS matured,
       count(DISTINCT x.call_task_id) FILTER (
             WHERE o.window_until <= :now AND o.converted_at > x.at) AS converted
  FROM taken x
  JOIN call_task t ON t.id = x.call_task_id
  LEFT JOIN outcome o ON o.firing_id = t.firing_id
 WHERE x.branch IS NOT NULL OR x.objection IS NOT NULL
 GROUP BY 1, 2, 3
""")
_PREVIOUS = text("""
SELECT script_variant, script_propensity, script_allocated_on FROM call_task
 WHERE script_id = :script_id AND customer_id = :customer_id AND script_propensity > 0
 ORDER BY created_at DESC, id DESC LIMIT 1
""")


@dataclass(frozen=True, slots=True)
class PathCount:
    """Calls that took a branch (`node`, `branch`) or met an `objection`; `matured` of them had not converted
    before and their window is over, and `converted` of these did so afterwards."""

    node: str | None
    branch: str | None
    objection: str | None
    calls: int
    matured: int
    converted: int


@dataclass(frozen=True, slots=True)
class Matured:
    """One variant of one version of a script, in the journey it is for."""

    script_id: str
    version: int
    journey: str
    variant: str
    counts: VariantCounts


@dataclass(frozen=True, slots=True)
class KeptDraw:
    """What a customer drew for a script before."""

    variant: str
    propensity: float
    allocated_on: date | None


def matured_counts(session: Session, now: datetime) -> Sequence[Matured]:
    """Return every variant's customers whose window is over, and the converted among them."""
    return [
        Matured(
            row.script_id, row.version, row.journey, row.script_variant, VariantCounts(row.n, row.converted)
        )
        for row in session.execute(_MATURED, {"now": now})
    ]


def drawn_cells(session: Session, script_id: str, version: int, now: datetime) -> Sequence[DrawnCell]:
    """Return a script's customers by variant, agent and the shares of their draw, window over.

    Draws of before the first allocation had even shares, which the one logged propensity tells.
    """
    rows = session.execute(_CELLS, {"script_id": script_id, "version": version, "now": now}).all()
    shares = {one.allocated_on: shares_of(one) for one in allocations(session, script_id, version)}
    variants = sorted({row.script_variant for row in rows})
    return [
        DrawnCell(
            row.script_variant,
            row.agent,
            shares.get(row.script_allocated_on) or dict.fromkeys(variants, row.script_propensity),
            row.n,
            row.converted,
        )
        for row in rows
    ]


def standings_of_script(
    session: Session, script_id: str, version: int, variants: Sequence[str], now: datetime
) -> tuple[Standing, ...]:
    """Say of each variant on offer how it stands against the others, from customers whose window is over."""
    today = shares_in_force(session, script_id, version, variants)
    return standings(drawn_cells(session, script_id, version, now), variants, today)


def shares_in_force(
    session: Session, script_id: str, version: int, variants: Sequence[str]
) -> Mapping[str, float]:
    """Return the shares customers draw by now: the newest night's, even ones where those are of other variants."""
    newest = allocation_in_force(session, script_id, version)
    shares = shares_of(newest) if newest else {}
    return shares if set(shares) == set(variants) else even_shares(variants)


def customers_waiting(session: Session, script_id: str, version: int, now: datetime) -> int:
    """Count a script's customers whose window is still open."""
    parameters = {"script_id": script_id, "version": version, "now": now}
    return int(session.execute(_WAITING, parameters).scalar_one())


def paths_of_script(session: Session, script_id: str, version: int, now: datetime) -> Sequence[PathCount]:
    """Count the branches taken and the objections met in calls with these words, each once per call task."""
    rows = session.execute(_PATHS, {"script_id": script_id, "version": version, "now": now})
    return [
        PathCount(row.node, row.branch, row.objection, row.calls, row.matured, row.converted) for row in rows
    ]


def allocations(session: Session, script_id: str, version: int) -> Sequence[ScriptAllocation]:
    """Return the days' allocations of a script's version, newest first."""
    found = select(ScriptAllocation).where(
        ScriptAllocation.script_id == script_id, ScriptAllocation.script_version == version
    )
    return session.exec(found.order_by(col(ScriptAllocation.allocated_on).desc())).all()


def allocation_in_force(session: Session, script_id: str, version: int) -> ScriptAllocation | None:
    """Return the newest allocation of a script's version; None before the first night."""
    found = select(ScriptAllocation).where(
        ScriptAllocation.script_id == script_id, ScriptAllocation.script_version == version
    )
    return session.exec(found.order_by(col(ScriptAllocation.allocated_on).desc()).limit(1)).first()


def newest_allocation(session: Session, script_id: str) -> ScriptAllocation | None:
    """Return the newest allocation of a script, whatever its version; None before the first night."""
    found = select(ScriptAllocation).where(ScriptAllocation.script_id == script_id)
    newest = col(ScriptAllocation.allocated_on).desc(), col(ScriptAllocation.script_version).desc()
    return session.exec(found.order_by(*newest).limit(1)).first()


def shares_of(allocation: ScriptAllocation) -> Mapping[str, float]:
    """Return the shares of an allocation by variant."""
    return {name: float(arm["share"]) for name, arm in allocation.arms.items()}


def previous_draw(session: Session, script_id: str, customer_id: UUID) -> KeptDraw | None:
    """Return what a customer drew last for a script, None when it is new to them."""
    row = session.execute(_PREVIOUS, {"script_id": script_id, "customer_id": customer_id}).first()
    return KeptDraw(row.script_variant, row.script_propensity, row.script_allocated_on) if row else None
