"""The studio's analyses: the page, its table as a file, the people behind a number, one customer's story."""

from uuid import UUID

from flask import Response, render_template, request

from callcenter.domain.enums import Role
from callcenter.journeys.queries import journeys_loaded
from callcenter.triggers.queries import current_rules
from callcenter.web.analyses_asked import asked_of
from callcenter.web.analyses_view import analysis_page, as_table
from callcenter.web.behind_view import people_page, person_page
from callcenter.web.edge import blueprint, chosen, roles_required, runtime, viewer
from callcenter.web.files import file_of
from callcenter.web.pages.analyses import AnalysesPage

bp = blueprint("analyses")


def _analysis() -> AnalysesPage:
    now = runtime().clock()
    with runtime().reading() as session:
        return analysis_page(session, asked_of(session, request.args, now), runtime().house.catalog, now)


@bp.get("/studio/analyses")
@roles_required(Role.STRATEGIST)
def analyses() -> str:
    """Show one of the ten analyses: `model`, `journey`, `days`, `split`, `only`, `measure`, `step`, `until`."""
    return render_template("studio/analyses.html", page=_analysis())


@bp.get("/studio/analyses.<any(csv,xlsx):kind>")
@roles_required(Role.STRATEGIST)
def analyses_file(kind: str) -> Response:
    """Answer with the same as a file."""
    shown = _analysis()
    return file_of(shown.name, kind, shown.title, as_table(shown))


@bp.get("/studio/analyses/people")
@roles_required(Role.STRATEGIST)
def people() -> str:
    """List the people behind a number of an analysis; that somebody looked is in the audit trail."""
    now = runtime().clock()
    with runtime().unit_of_work() as session:
        asked = asked_of(session, request.args, now)
        shown = people_page(session, asked, request.args, runtime().house.catalog, viewer().id, now)
    return render_template("studio/people.html", page=shown)


@bp.get("/studio/people/<uuid:customer_id>")
@roles_required(Role.STRATEGIST)
def person(customer_id: UUID) -> str:
    """Show what happened with one customer; that somebody looked is in the audit trail."""
    with runtime().unit_of_work() as session:
        rules = current_rules(session, journeys_loaded(session))
        titles = {key: chosen(one[-1].spec.title, key) for key, one in rules.versions.items()}
        shown = person_page(session, customer_id, viewer().id, runtime().clock(), titles)
    return render_template("studio/person.html", page=shown)
