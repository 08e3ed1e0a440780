"""The studio's tables to be kept as files, and effects told by script and by branch."""

from collections.abc import Iterator

from flask import Response, render_template, request

from callcenter.domain.enums import Role
from callcenter.web.edge import blueprint, roles_required, runtime
from callcenter.web.effects_asked import asked_of
from callcenter.web.effects_by_view import by_table, effects_by_page, rules_table
from callcenter.web.effects_view import effects_page
from callcenter.web.files import Value, file_of, harmless
from callcenter.web.library_view import scripts_page
from callcenter.web.offers_view import catalog_page
from callcenter.web.segments_view import segments_page
from callcenter.web.studio_view import rules_page

bp = blueprint("studio_tables")


@bp.get("/studio/effects/<any(scripts,branches):by>")
@roles_required(Role.STRATEGIST)
def effects_by(by: str) -> str:
    """Show what script variants changed, or what was seen after the answers customers gave."""
    with runtime().reading() as session:
        shown = effects_by_page(session, by, runtime().house.catalog, runtime().clock())
    return render_template("studio/effects_by.html", page=shown)


@bp.get("/studio/effects.csv")
@roles_required(Role.STRATEGIST)
def effects() -> Response:
    """Answer with the effects as CSV: by rule, or as `by` says by scripts or by branches."""
    by, catalog, now = request.args.get("by", "rules"), runtime().house.catalog, runtime().clock()
    with runtime().reading() as session:
        if by in ("scripts", "branches"):
            return _csv(f"effects-by-{by}", by_table(effects_by_page(session, by, catalog, now)))
        hour = runtime().settings.agent_hour_cost
        return _csv("effects", rules_table(effects_page(session, asked_of(request.args), catalog, now, hour)))


@bp.get("/studio/rules.csv")
@roles_required(Role.STRATEGIST)
def rules() -> Response:
    """Answer with every rule in words, with what it did lately, as CSV."""
    with runtime().reading() as session:
        shown = rules_page(session, runtime().clock())
    rows: list[list[Value]] = [
        ["rule", "name", "version", "journey", "state", "since", "days", "fired", "called", "held_out",
         "effect_points", "verdict", "in_words"],
        *(
            [
                one.key, harmless(one.label), one.version, harmless(one.journey), one.state, one.since.isoformat(),
                shown.window_days, one.fired, one.called, one.held_out, one.difference, one.verdict,
                harmless(one.words),
            ]
            for one in shown.rules
        ),
    ]  # fmt: skip
    return _csv("rules", iter(rows))


@bp.get("/studio/scripts.csv")
@roles_required(Role.STRATEGIST)
def scripts() -> Response:
    """Answer with the library as CSV."""
    with runtime().reading() as session:
        shown = scripts_page(session, runtime().house.catalog, None, None, runtime().clock())
    rows: list[list[Value]] = [["script", "name", "version", "variants", "journey", "step", "language", "used_by",
                                "attempts"]]  # fmt: skip
    for one in shown.scripts:
        used_by = harmless(" | ".join(one.used_by))
        place = [harmless(one.journey), harmless(one.step), one.language]
        rows.append(
            [one.id, harmless(one.label), one.version, " ".join(one.variants), *place, used_by, one.attempts]
        )
    return _csv("scripts", iter(rows))


@bp.get("/studio/segments.csv")
@roles_required(Role.STRATEGIST)
def segments() -> Response:
    """Answer with all segments and their sizes as CSV; a segment's customers are a file of their own."""
    with runtime().reading() as session:
        shown = segments_page(session)
    rows: list[list[Value]] = [["segment", "name", "in_words", "customers", "of", "worked_out_at", "trouble"]]
    for one in shown.rows:
        at = one.computed_at.isoformat() if one.computed_at else ""
        told = [one.size, one.of, at, one.trouble or ""]
        rows.append([one.key, harmless(one.label), harmless(one.words), *told])
    return _csv("segments", iter(rows))


@bp.get("/studio/offers.csv")
@roles_required(Role.STRATEGIST)
def offers() -> Response:
    """Answer with what agents may grant, and what was granted, as CSV."""
    with runtime().reading() as session:
        shown = catalog_page(session, runtime().clock())
    rows: list[list[Value]] = [["offer", "name", "state", "meant_for", "limits", "worth", "cost", "currency",
                                "granted", "cost_so_far", "from", "until"]]  # fmt: skip
    for one in shown.offers:
        worth = [str(one.value.amount), str(one.cost.amount), one.value.currency]
        until = one.valid_until.isoformat() if one.valid_until else ""
        said = [harmless(one.name), one.state, harmless(one.meant_for), harmless(one.limits)]
        cost = str(one.cost_of_all.amount)
        rows.append([one.code, *said, *worth, one.given, cost, one.valid_from.isoformat(), until])
    return _csv("offers", iter(rows))


def _csv(name: str, rows: Iterator[list[Value]]) -> Response:
    return file_of(name, "csv", name, rows)
