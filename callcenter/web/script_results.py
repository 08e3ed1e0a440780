"""What came of scripts: figures to take away, and what usually helps, step by step."""

from flask import Response, render_template

from callcenter.domain.enums import Role
from callcenter.web.edge import blueprint, roles_required, runtime
from callcenter.web.helps_view import what_helps_csv, what_helps_page
from callcenter.web.script_results_view import results_csv, script_named

bp = blueprint("script_results")


@bp.get("/studio/scripts/what-helps")
@roles_required(Role.STRATEGIST)
def what_helps() -> str:
    """Show what calls about each step and error showed."""
    with runtime().reading() as session:
        shown = what_helps_page(session, runtime().house.catalog)
    return render_template("studio/what_helps.html", page=shown)


@bp.get("/studio/scripts/what-helps.csv")
@roles_required(Role.STRATEGIST)
def what_helps_table() -> Response:
    """Answer with the same as CSV."""
    with runtime().reading() as session:
        return _file(what_helps_csv(session, runtime().house.catalog), "what-helps.csv")


@bp.get("/studio/scripts/<script_id>/results.csv")
@roles_required(Role.STRATEGIST)
def results(script_id: str) -> Response:
    """Answer with the variants, branches and objections of a script as CSV."""
    script = script_named(runtime().house.catalog, script_id)
    with runtime().reading() as session:
        return _file(results_csv(session, script, runtime().clock()), f"{script.id}-v{script.version}.csv")


def _file(table: bytes, name: str) -> Response:
    answer = Response(table, mimetype="text/csv")
    answer.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return answer
