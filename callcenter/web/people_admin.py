"""Administration: people with their roles, agents' teams, languages and skills; teams' settings."""

from uuid import UUID

from flask import redirect, render_template, request
from flask_babel import gettext
from werkzeug.wrappers import Response as AnyResponse

from callcenter import people
from callcenter.errors import BadInput, CallCenterError
from callcenter.web.edge import blueprint, roles_required, runtime, told, viewer
from callcenter.web.people_view import (
    HOME,
    as_typed,
    new_person_page,
    people_page,
    person_page,
    read_person,
    teams_page,
)

bp = blueprint("people_admin")
_TEAMS = "/admin/teams"


@bp.get("/admin/people")
@roles_required()
def show_people() -> str:
    """Show who may sign in, as what, and what each agent brings."""
    with runtime().reading() as session:
        shown = people_page(session)
    return render_template("admin/people.html", page=shown)


@bp.get("/admin/people/new")
@roles_required()
def new_person() -> str:
    """Show the form of somebody new."""
    with runtime().reading() as session:
        shown = new_person_page(session)
    return render_template("admin/person.html", page=shown)


@bp.post("/admin/people")
@roles_required()
def add_person() -> AnyResponse | tuple[str, int]:
    """Add somebody; a form that cannot be accepted comes back with why."""
    form = request.form
    try:
        wanted = read_person(form)
        with runtime().unit_of_work() as session:
            login = form.get("login", "").replace("\x00", "")
            people.add_person(session, login, wanted, viewer().id, runtime().clock())
    except CallCenterError as error:
        _only_of_forms(error)
        with runtime().reading() as session:
            shown = as_typed(new_person_page(session, gettext(error.message)), form)
        return render_template("admin/person.html", page=shown), error.status
    return redirect(HOME)


@bp.get("/admin/people/<uuid:person_id>")
@roles_required()
def show_person(person_id: UUID) -> str:
    """Show one person's form."""
    with runtime().reading() as session:
        shown = person_page(session, person_id)
    return render_template("admin/person.html", page=shown)


@bp.post("/admin/people/<uuid:person_id>")
@roles_required()
def change_person(person_id: UUID) -> AnyResponse | tuple[str, int]:
    """Change what is set of a person; a form that cannot be accepted comes back with why."""
    try:
        wanted = read_person(request.form)
        with runtime().unit_of_work() as session:
            people.change_person(session, person_id, wanted, viewer().id, runtime().clock())
    except CallCenterError as error:
        _only_of_forms(error)
        with runtime().reading() as session:
            shown = as_typed(person_page(session, person_id, gettext(error.message)), request.form)
        return render_template("admin/person.html", page=shown), error.status
    return redirect(HOME)


@bp.post("/admin/people/<uuid:person_id>/<any(activate,deactivate):act>")
@roles_required()
def switch_person(person_id: UUID, act: str) -> AnyResponse | tuple[str, int]:
    """Let a person sign in again, or not any more."""
    try:
        with runtime().unit_of_work() as session:
            people.switch_person(session, person_id, viewer().id, runtime().clock(), active=act == "activate")
    except CallCenterError as error:
        _only_of_forms(error)
        with runtime().reading() as session:
            shown = person_page(session, person_id, gettext(error.message))
        return render_template("admin/person.html", page=shown), error.status
    return redirect(HOME)


@bp.get("/admin/teams")
@roles_required()
def show_teams() -> str:
    """Show teams with their settings, and skills with who has them."""
    with runtime().reading() as session:
        shown = teams_page(session)
    return render_template("admin/teams.html", page=shown)


@bp.post("/admin/teams")
@roles_required()
def add_team() -> AnyResponse | tuple[str, int]:
    """Add a team."""
    try:
        with runtime().unit_of_work() as session:
            name = request.form.get("team", "").replace("\x00", "")
            people.add_team(session, name, viewer().id, runtime().clock())
    except CallCenterError as error:
        return _teams_again(error)
    return redirect(_TEAMS)


@bp.post("/admin/teams/settings")
@roles_required()
def set_team() -> AnyResponse:
    """Set whether a supervisor approves what a team's agents hand over."""
    approval = request.form.get("transfers_need_approval")
    if approval not in ("0", "1"):
        raise BadInput("Reload the page and press again.")
    with runtime().unit_of_work() as session:
        people.set_team(
            session,
            request.form.get("team", "").replace("\x00", ""),
            viewer().id,
            runtime().clock(),
            transfers_need_approval=approval == "1",
        )
    return redirect(_TEAMS)


@bp.post("/admin/skills")
@roles_required()
def put_skill() -> AnyResponse | tuple[str, int]:
    """Add a skill, or name the one with this key anew."""
    key, *names = (request.form.get(one, "").replace("\x00", "") for one in ("key", "name", "name_zh"))
    try:
        with runtime().unit_of_work() as session:
            people.put_skill(session, key, (names[0], names[1]), viewer().id, runtime().clock())
    except CallCenterError as error:
        return _teams_again(error)
    return redirect(_TEAMS)


@bp.post("/admin/skills/<key>/<any(on,off):act>")
@roles_required()
def switch_skill(key: str, act: str) -> AnyResponse | tuple[str, int]:
    """Let a skill be given to agents, or not any more; `confirmed` by who has read which rules ask for it."""
    is_confirmed = request.form.get("confirmed") == "1"
    try:
        with runtime().unit_of_work() as session:
            now = runtime().clock()
            people.switch_skill(
                session, key, viewer().id, now, is_active=act == "on", is_confirmed=is_confirmed
            )
    except CallCenterError as error:
        return _teams_again(error, to_confirm=key)
    return redirect(_TEAMS)


def _teams_again(error: CallCenterError, to_confirm: str = "") -> tuple[str, int]:
    _only_of_forms(error)
    with runtime().reading() as session:
        shown = teams_page(session, told(error), request.form, to_confirm)
    return render_template("admin/teams.html", page=shown), error.status


def _only_of_forms(error: CallCenterError) -> None:
    """Only what the person can mend in the form comes back with it."""
    if error.status not in (400, 409):
        raise error
