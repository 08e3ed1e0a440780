"""What the house learned by night: the runs, whom we call first and why, how good the model is."""

from flask import Response, redirect, render_template, request
from werkzeug.wrappers import Response as AnyResponse

from callcenter import nightly
from callcenter.domain.enums import Role
from callcenter.web.edge import blueprint, roles_required, runtime, viewer
from callcenter.web.files import file_of
from callcenter.web.learning_tables import TABLES
from callcenter.web.learning_view import learning_page
from callcenter.web.pages import learning as page

bp = blueprint("learning")


def _page() -> page.LearningPage:
    with runtime().reading() as session:
        return learning_page(session, runtime().settings.learning_hour, runtime().clock())


@bp.get("/studio/learning")
@roles_required(Role.STRATEGIST)
def learning() -> str:
    """Show what was learned last, and how."""
    return render_template("studio/learning.html", page=_page())


@bp.get("/studio/learning/state")
@roles_required(Role.STRATEGIST)
def learning_state() -> str:
    """Answer with the page as it is now."""
    return render_template("studio/_learning.html", page=_page())


@bp.get("/studio/learning/<any(worth,steps,measures,calibration,runs):table>.<any(csv,xlsx):kind>")
@roles_required(Role.STRATEGIST)
def learning_file(table: str, kind: str) -> Response:
    """Answer with one table of the page as a file."""
    return file_of(f"learning-{table}", kind, table, TABLES[table](_page()))


@bp.post("/studio/learning/run")
@roles_required(Role.STRATEGIST)
def learn_now() -> str | AnyResponse:
    """Have everything learned anew now; who asked is kept in the audit trail."""
    with runtime().unit_of_work() as session:
        nightly.ask_for_run(session, viewer().id, runtime().clock())
    return learning_state() if request.headers.get("HX-Request") else redirect("/studio/learning", 303)
