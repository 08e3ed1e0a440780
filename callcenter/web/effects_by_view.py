"""Effects by script and by branch: variants, which are drawn by chance, and what was seen after each answer."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from urllib.parse import quote

from flask_babel import gettext
from sqlmodel import Session

from callcenter.reporting.effects import attempts_per_script
from callcenter.web.edge import frame, language, zone
from callcenter.web.files import Value, harmless
from callcenter.web.library_view import page_id
from callcenter.web.pages import effects_by as page
from callcenter.web.pages.effects import EffectsPage
from callcenter.web.pages.studio import Choice
from callcenter.web.script_results_view import results_of, seen_in
from scripts_library.catalog import Catalog
from scripts_library.model import Script

PATH = "/studio/effects"
VIEWS = ("rules", "scripts", "branches")


def view_choices(by: str) -> tuple[Choice, ...]:
    """The switch between the three ways effects are told."""
    titles = (gettext("Rules"), gettext("Scripts"), gettext("Branches"))
    return tuple(
        Choice(title, PATH if view == "rules" else f"{PATH}/{view}", view == by)
        for view, title in zip(VIEWS, titles, strict=True)
    )


def effects_by_page(session: Session, by: str, catalog: Catalog, now: datetime) -> page.EffectsByPage:
    """Return the variants of every script that was read in a call, or the branches, as `by` says."""
    heard = _heard(session, catalog)
    return page.EffectsByPage(
        frame=frame("effects"),
        by=by,
        to_on=now.astimezone(zone()).date(),
        csv_href=f"{PATH}.csv?by={by}",
        views=view_choices(by),
        scripts=_by_customers(session, heard, now) if by == "scripts" else (),
        branches=_by_calls(session, heard, now) if by == "branches" else (),
    )


def _heard(session: Session, catalog: Catalog) -> list[Script]:
    """Scripts that were read to somebody, each once, in the viewer's language where there is one."""
    used = {script_id for script_id, _ in attempts_per_script(session)}
    found = {one.id: one for one in catalog.scripts if one.id in used}
    found |= {one.id: one for one in catalog.scripts if one.id in used and one.language == language()}
    return [found[key] for key in sorted(found)]


def _by_customers(
    session: Session, scripts: Sequence[Script], now: datetime
) -> tuple[page.ScriptEffectRow, ...]:
    """The variants of each script together, the scripts with the most customers first."""
    found = ((one, results_of(session, one, now)) for one in scripts)
    told = [one for one in found if one[1].customers]
    return tuple(
        page.ScriptEffectRow(
            script=script.title,
            variant=row.name,
            href=f"/studio/scripts/{quote(page_id(script))}",
            share_today=row.share_today,
            customers=row.n,
            converted=row.converted,
            verdict=row.verdict,
            converted_share=row.converted_share,
            difference=row.difference,
            low=row.low,
            high=row.high,
            evidence=row.evidence,
            needs_more=row.needs_more,
        )
        for script, found in sorted(told, key=lambda one: (-one[1].customers, one[0].id))
        for row in found.rows
    )


def _by_calls(session: Session, scripts: Sequence[Script], now: datetime) -> tuple[page.BranchRow, ...]:
    """Branches and objections of all scripts, those met in the most calls first."""
    found = [row for script in scripts for row in _branches(session, script, now)]
    return tuple(sorted(found, key=lambda one: (-one.calls, one.script, one.label)))


def _branches(session: Session, script: Script, now: datetime) -> Iterator[page.BranchRow]:
    seen, href = seen_in(session, script, now), f"/studio/scripts/{quote(page_id(script))}"
    said = [
        ((node.id, f"{one.digit}-{one.goto}"), one.label.text, False)
        for node in script.nodes
        for one in node.branches
    ]
    said += [(("", one.id), one.label.text, True) for one in script.objections]
    for key, words, is_objection in said:
        if one := seen.get(key):
            yield page.BranchRow(
                script.title, words, href, is_objection, one.calls, one.of, one.went_on, one.low, one.high
            )


# -- as tables to be kept ---------------------------------------------------------------------------------


def rules_table(shown: EffectsPage) -> Iterator[list[Value]]:
    """Effects by rule; what the page hides stays hidden. `counts_of` names the window the counts are of."""
    yield [
        "rule", "name", "version", "fired", "held_out", "called", "reached", "converted", "of_called_or_not",
        "converted_held_out", "effect_points", "low", "high", "evidence", "verdict", "needs_more_firings",
        "cost_each", "currency", "offers_granted", "counts_of",
    ]  # fmt: skip
    for row in shown.rows:
        figures: list[Value] = [
            row.converted,
            row.treated,
            row.held_converted,
            row.difference,
            row.low,
            row.high,
        ]
        cost: list[Value] = [str(row.cost_each.amount), row.cost_each.currency] if row.cost_each else ["", ""]
        yield [
            row.key, harmless(row.label), row.version, row.fired, row.held_out, row.called, row.reached,
            *(figures if row.is_shown else [None] * len(figures)),
            row.evidence if row.is_shown else None, row.verdict, row.needs_firings, *cost, row.offers_granted,
            "all" if shown.window.is_whole else harmless(shown.window.label),
        ]  # fmt: skip


def by_table(shown: page.EffectsByPage) -> Iterator[list[Value]]:
    """Effects by script, or what was seen by branch; of a branch it says that chance drew nothing."""
    if shown.by == "scripts":
        yield [
            "script", "variant", "share_today", "customers", "converted", "converted_share", "difference_points",
            "low", "high", "evidence", "verdict", "needs_more",
        ]  # fmt: skip
        for one in shown.scripts:
            yield [
                harmless(one.script), one.variant, one.share_today, one.customers, one.converted,
                one.converted_share, one.difference, one.low, one.high, one.evidence, one.verdict, one.needs_more,
            ]  # fmt: skip
        return
    yield ["script", "answer", "kind", "drawn_at_random", "calls", "went_on", "of", "low", "high"]
    for row in shown.branches:
        kind = "objection" if row.is_objection else "branch"
        told: list[Value] = [
            row.calls,
            row.went_on,
            row.of,
            row.low if row.of else None,
            row.high if row.of else None,
        ]
        yield [harmless(row.script), harmless(row.label), kind, "no", *told]
