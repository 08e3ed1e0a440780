"""The compliance officer's pages: what needs a decision, packs, ledgers, decisions, the audit trail, what if."""

from uuid import UUID

from flask import Response, redirect, render_template, request
from flask_babel import gettext
from werkzeug.wrappers import Response as AnyResponse

from callcenter.domain.enums import Purpose, Role
from callcenter.web.compliance_changes import change_page
from callcenter.web.compliance_decisions import decisions_page, decisions_table
from callcenter.web.compliance_ledgers import (
    find_customer,
    ledgers_page,
    number_page,
    person_page,
    read_number,
)
from callcenter.web.compliance_packs import packs_page, proposal_page
from callcenter.web.compliance_trail import trail_page
from callcenter.web.compliance_view import overview_page
from callcenter.web.compliance_what_if import what_if_page
from callcenter.web.edge import blueprint, roles_required, runtime

bp = blueprint("compliance")
LONGEST_LOOKED_UP = 200


@bp.get("/compliance")
@roles_required(Role.COMPLIANCE)
def overview() -> str:
    """Show what needs a decision now."""
    with runtime().reading() as session:
        return render_template("compliance/overview.html", page=overview_page(session, runtime().clock()))


@bp.get("/compliance/state")
@roles_required(Role.COMPLIANCE)
def overview_state() -> str:
    """Answer with the overview as it is now."""
    with runtime().reading() as session:
        return render_template("compliance/_overview.html", page=overview_page(session, runtime().clock()))


@bp.get("/compliance/changes/<int:change_id>")
@roles_required(Role.COMPLIANCE)
def change(change_id: int) -> str:
    """Show a change, what it would do, and whether the viewer may decide it."""
    with runtime().reading() as session:
        found = change_page(session, change_id, runtime().clock())
    return render_template("compliance/change.html", page=found)


@bp.get("/compliance/packs")
@roles_required(Role.COMPLIANCE)
def packs() -> str:
    """Show the packs; `pack` and `version` choose whose figures are read."""
    asked = request.args
    with runtime().reading() as session:
        found = packs_page(session, asked.get("pack"), asked.get("version"), runtime().clock())
    return render_template("compliance/packs.html", page=found)


@bp.get("/compliance/packs/new")
@roles_required(Role.COMPLIANCE)
def new_version() -> str:
    """Show the form of a new version of `pack`."""
    with runtime().reading() as session:
        found = proposal_page(session, request.args.get("pack", "")[:40], runtime().clock())
    return render_template("compliance/proposal.html", page=found)


@bp.get("/compliance/ledgers")
@roles_required(Role.COMPLIANCE)
def ledgers() -> str:
    """Show the form that looks somebody up, and the imported lists."""
    with runtime().reading() as session:
        return render_template("compliance/ledgers.html", page=ledgers_page(session, runtime().clock()))


@bp.post("/compliance/ledgers")
@roles_required(Role.COMPLIANCE)
def look_up() -> str | AnyResponse | tuple[str, int]:
    """Look somebody up by the bank's id or a number; a number comes in the body, so that no address holds it."""
    who = request.form.get("who", "").strip()[:LONGEST_LOOKED_UP]
    with runtime().reading() as session:
        if customer := find_customer(session, who):
            return redirect(f"/compliance/people/{customer.id}")
        if number := read_number(who):
            found = number_page(session, number, runtime().clock())
            return render_template("compliance/person.html", page=found)
        problem = gettext(
            "Nobody is known by this id. Numbers are written in international form, such as +86 138 0013 8000."
        )
        page = ledgers_page(session, runtime().clock(), who, problem)
    return render_template("compliance/ledgers.html", page=page), 404


@bp.get("/compliance/people/<uuid:customer_id>")
@roles_required(Role.COMPLIANCE)
def person(customer_id: UUID) -> str:
    """Show what stands for and against a customer; `purpose` chooses whose budgets are shown."""
    asked = request.args.get("purpose")
    purpose = Purpose(asked) if asked in set(Purpose) else Purpose.SERVICE
    with runtime().reading() as session:
        found = person_page(session, customer_id, purpose, runtime().clock())
    return render_template("compliance/person.html", page=found)


@bp.get("/compliance/decisions")
@roles_required(Role.COMPLIANCE)
def decisions() -> str | tuple[str, int]:
    """Show the gate's answers, sieved."""
    with runtime().reading() as session:
        page = decisions_page(session, request.args)
    html = render_template("compliance/decisions.html", page=page)
    return (html, 400) if page.problem else html


@bp.get("/compliance/decisions.csv")
@roles_required(Role.COMPLIANCE)
def decisions_csv() -> Response:
    """Answer with the same answers as a table to be kept."""
    with runtime().reading() as session:
        table = decisions_table(session, request.args)
    answer = Response(table, mimetype="text/csv")
    answer.headers["Content-Disposition"] = 'attachment; filename="decisions.csv"'
    return answer


@bp.get("/compliance/audit")
@roles_required(Role.COMPLIANCE)
def audit() -> str | tuple[str, int]:
    """Show the audit trail, sieved."""
    with runtime().reading() as session:
        page = trail_page(session, request.args)
    html = render_template("compliance/trail.html", page=page)
    return (html, 400) if page.problem else html


@bp.get("/compliance/what-if")
@roles_required(Role.COMPLIANCE)
def what_if() -> str:
    """Show the form that asks the gate about a call nobody places."""
    with runtime().reading() as session:
        return render_template("compliance/what_if.html", page=what_if_page(session, None, runtime().clock()))


@bp.post("/compliance/what-if")
@roles_required(Role.COMPLIANCE)
def ask_what_if() -> str | tuple[str, int]:
    """Tell what the gate would say; nothing is kept and nobody is called."""
    asked = {name: value[:LONGEST_LOOKED_UP] for name, value in request.form.items()}
    with runtime().reading() as session:
        page = what_if_page(session, asked, runtime().clock())
    html = render_template("compliance/what_if.html", page=page)
    return (html, 400) if page.problem else html
