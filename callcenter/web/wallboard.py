"""The wallboard: for a supervisor who is signed in, and for a television that has a link; the links."""

import secrets
from datetime import timedelta

from flask import redirect, render_template, request
from flask_babel import gettext
from sqlmodel import Session, select
from werkzeug.wrappers import Response as AnyResponse

from callcenter import alerting
from callcenter.domain.enums import Role
from callcenter.errors import BadInput, Forbidden
from callcenter.models import WallboardLink
from callcenter.web.edge import blueprint, roles_required, runtime, show_as, told, viewer
from callcenter.web.wallboard_view import links_page, opening_page, wallboard_page

bp = blueprint("wallboard")
_DAYS = ("1", "7", "30", "90")
_MOST_ID = 2**62
COOKIE = "wallboard"
"""Holds a link's token where a link was opened; it is sent to the wallboard's own addresses only."""


def new_token() -> str:
    """Return a link's token nobody can guess: 256 bits."""
    return secrets.token_urlsafe(32)


@bp.get("/wallboard")
@roles_required(Role.SUPERVISOR)
def own_wallboard() -> str:
    """Show the wallboard to a supervisor."""
    return _own("wallboard/page.html")


@bp.get("/wallboard/state")
@roles_required(Role.SUPERVISOR)
def own_wallboard_state() -> str:
    """Answer with the wallboard as it is now."""
    return _own("wallboard/_body.html")


def _own(template: str) -> str:
    with runtime().reading() as session:
        shown = wallboard_page(session, runtime().clock(), viewer().theme, "/wallboard/state")
    return render_template(template, page=shown)


@bp.get("/wallboard/link")
def open_link() -> str:
    """Show the page that a link opens: the token stands behind its #, which no server and no log is told."""
    return render_template("wallboard/link.html", page=opening_page())


@bp.post("/wallboard/link")
def take_link() -> AnyResponse | tuple[str, int]:
    """Exchange a link's token for a cookie that opens the wallboard, and nothing else, until the link ends."""
    token = request.form.get("token", "").replace("\x00", "")
    try:
        with runtime().reading() as session:
            link = _link_of(session, token)
            left = link.expires_at - runtime().clock()
    except Forbidden as problem:
        return render_template("wallboard/link.html", page=opening_page(told(problem))), problem.status
    answer = redirect("/wallboard/screen", 303)
    answer.set_cookie(
        COOKIE,
        token,
        max_age=left,
        path="/wallboard",
        httponly=True,
        samesite="Lax",
        secure=runtime().settings.public_base_url.startswith("https://"),
    )
    return answer


@bp.get("/wallboard/screen")
def linked_wallboard() -> str:
    """Show the wallboard to whoever has opened a link that works."""
    return _linked("wallboard/page.html")


@bp.get("/wallboard/screen/state")
def linked_wallboard_state() -> str:
    """Answer a television with the wallboard as it is now."""
    return _linked("wallboard/_body.html")


def _linked(template: str) -> str:
    with runtime().reading() as session:
        link = _link_of(session, request.cookies.get(COOKIE, ""))
        show_as(link.language, link.time_zone)
        shown = wallboard_page(session, runtime().clock(), link.theme, "/wallboard/screen/state")
    return render_template(template, page=shown)


def _link_of(session: Session, token: str) -> WallboardLink:
    statement = select(WallboardLink).where(WallboardLink.token_hash == alerting.hash_link(token[:200]))
    link = session.exec(statement).first()
    if link is None or link.revoked_at is not None or link.expires_at <= runtime().clock():
        raise Forbidden("This link does not work any more. Ask a supervisor for a new one.")
    return link


@bp.get("/floor/wallboard")
@roles_required(Role.SUPERVISOR)
def links() -> str:
    """Show which links there are."""
    return _links()


def _links(name: str = "", made: str | None = None, error: str | None = None) -> str:
    with runtime().reading() as session:
        shown = links_page(session, runtime().clock(), name, made, error)
    return render_template("floor/wallboard_links.html", page=shown)


@bp.post("/floor/wallboard/links")
@roles_required(Role.SUPERVISOR)
def make_link() -> str | tuple[str, int]:
    """Make a link and show it this once."""
    form, now, token = request.form, runtime().clock(), new_token()
    days = form.get("days", "")
    name = form.get("name", "").replace("\x00", "")
    try:
        if days not in _DAYS:
            raise BadInput("Choose one of the languages, looks and spans shown.")
        with runtime().unit_of_work() as session:
            alerting.make_link(
                session,
                name,
                token,
                viewer().id,
                now,
                language=form.get("language", ""),
                theme=form.get("theme", ""),
                time_zone=viewer().time_zone,
                expires_at=now + timedelta(days=int(days)),
            )
    except BadInput as problem:
        return _links(name, error=gettext(problem.message)), problem.status
    return _links(made=f"{runtime().settings.public_base_url.rstrip('/')}/wallboard/link#{token}")


@bp.post("/floor/wallboard/links/<int:link_id>/revoke")
@roles_required(Role.SUPERVISOR)
def revoke_link(link_id: int) -> AnyResponse:
    """End a link at once and for good."""
    if link_id >= _MOST_ID:
        raise BadInput(gettext("That id is not one. Reload the page and try again."))
    with runtime().unit_of_work() as session:
        alerting.revoke_link(session, link_id, viewer().id, runtime().clock())
    return redirect("/floor/wallboard")
