"""What came of a script's variants, branches and objections: on its page in the studio, and as CSV."""

import csv
import io
from collections.abc import Iterator, Mapping
from datetime import datetime
from urllib.parse import quote

from sqlmodel import Session

from callcenter.errors import NotFound
from callcenter.learning.associations import wilson_interval
from callcenter.learning.evidence import Share
from callcenter.learning.script_choice import AllocationMethod, method_for
from callcenter.learning.script_queries import (
    PathCount,
    allocation_in_force,
    customers_waiting,
    paths_of_script,
    shares_in_force,
    standings_of_script,
)
from callcenter.learning.variants import Standing
from callcenter.web.files import harmless
from callcenter.web.pages.script_results import ScriptResults, SeenAfter, VariantRow
from scripts_library.catalog import Catalog
from scripts_library.model import Script

PathKey = tuple[str, str]
"""A node and a branch; or "" and an objection."""


def results_of(session: Session, script: Script, now: datetime) -> ScriptResults:
    """Return how a script's variants stand, from customers whose window is over, in all languages together."""
    id_, version = script.id, script.version
    today = shares_in_force(session, id_, version, script.variants)
    told = standings_of_script(session, id_, version, script.variants, now)
    kept = allocation_in_force(session, id_, version)
    newest = kept if kept and set(kept.arms) == set(script.variants) else None
    notes = dict(script.variant_notes)
    return ScriptResults(
        version=version,
        customers=sum(one.n for one in told),
        waiting=customers_waiting(session, id_, version, now),
        method=AllocationMethod(newest.method) if newest else method_for(len(script.variants)),
        rows=tuple(
            _row(one, notes.get(one.variant, ""), today[one.variant], newest.arms if newest else {})
            for one in told
        ),
        csv_href=f"/studio/scripts/{quote(id_)}.{script.language}/results.csv",
        allocated_on=newest.allocated_on if newest else None,
        prior_mean=newest.prior_a / (newest.prior_a + newest.prior_b) if newest else None,
        prior_weight=newest.prior_a + newest.prior_b if newest else None,
    )


def _row(
    one: Standing, note: str, share: float, arms: Mapping[str, Mapping[str, float | None]]
) -> VariantRow:
    difference, within = one.difference, one.within_agents
    return VariantRow(
        name=one.variant,
        note=note,
        share_today=share,
        n=one.n,
        converted=one.converted,
        converted_share=one.converted_share,
        verdict=one.verdict.value,
        difference=difference.point * 100 if difference else None,
        low=difference.low * 100 if difference else None,
        high=difference.high * 100 if difference else None,
        within=within.point * 100 if within else None,
        within_low=within.low * 100 if within else None,
        within_high=within.high * 100 if within else None,
        evidence=one.evidence,
        best=arms.get(one.variant, {}).get("best"),
        needs_more=one.needs_more,
    )


def seen_in(session: Session, script: Script, now: datetime) -> Mapping[PathKey, SeenAfter]:
    """Return what was seen after each branch and each objection of a script, in calls with these words."""
    return {
        ("", one.objection) if one.objection else (one.node or "", one.branch or ""): _seen(one)
        for one in paths_of_script(session, script.id, script.version, now)
    }


def _seen(one: PathCount) -> SeenAfter:
    if not one.matured:
        return SeenAfter(one.calls, 0, 0)
    interval = wilson_interval(Share(one.converted, one.matured))
    return SeenAfter(one.calls, one.matured, one.converted, interval.low, interval.high)


def script_named(catalog: Catalog, page_id: str) -> Script:
    """Return the script of an address such as id_photo.en; raises NotFound when there is none."""
    for script in catalog.scripts:
        if f"{script.id}.{script.language}" == page_id:
            return script
    raise NotFound("There is no such script.")


def results_csv(session: Session, script: Script, now: datetime) -> bytes:
    """Return a script's figures as CSV in UTF-8: variants, then branches and objections, which were not drawn."""
    out = io.StringIO()
    csv.writer(out).writerows(_table(session, script, now))
    return out.getvalue().encode("utf-8-sig")


_COLUMNS = (
    "kind", "node", "name", "label", "drawn_at_random", "share_today", "calls", "customers", "converted",
    "converted_share", "share_low", "share_high", "difference_points", "difference_low", "difference_high",
    "within_agents_points", "within_agents_low", "within_agents_high", "evidence", "verdict", "needs_more",
)  # fmt: skip


def _table(session: Session, script: Script, now: datetime) -> Iterator[list[object]]:
    yield list(_COLUMNS)
    for one in results_of(session, script, now).rows:
        yield [
            "variant", "", one.name, harmless(one.note), "yes", one.share_today, "", one.n, one.converted,
            one.converted_share, "", "", one.difference, one.low, one.high, one.within, one.within_low,
            one.within_high, one.evidence, one.verdict, one.needs_more,
        ]  # fmt: skip
    seen = seen_in(session, script, now)
    for node in script.nodes:
        for branch in node.branches:
            key = f"{branch.digit}-{branch.goto}"
            if after := seen.get((node.id, key)):
                yield _path_row("branch", node.id, key, branch.label.text, after)
    for objection in script.objections:
        if after := seen.get(("", objection.id)):
            yield _path_row("objection", "", objection.id, objection.label.text, after)


def _path_row(kind: str, node: str, name: str, label: str, one: SeenAfter) -> list[object]:
    share = one.went_on / one.of if one.of else None
    told = [one.calls, one.of, one.went_on, share, one.low, one.high]
    row: list[object] = [kind, node, name, harmless(label), "no", "", *told]
    return row + [""] * (len(_COLUMNS) - len(row))
