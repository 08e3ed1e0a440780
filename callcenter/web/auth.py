"""Signing in and out, and how the screens look to a person."""

from urllib.parse import urlsplit

from flask import Response, make_response, redirect, render_template, request
from flask_babel import gettext
from flask_login import login_user, logout_user
from flask_wtf.csrf import generate_csrf
from werkzeug.wrappers import Response as AnyResponse

from callcenter import pipeline
from callcenter.accounts.queries import authenticate
from callcenter.domain.enums import Role
from callcenter.web.demo_sign_ins import demo_sign_ins
from callcenter.web.edge import (
    HOMES,
    SignedIn,
    blueprint,
    language,
    roles_required,
    runtime,
    viewer,
    viewer_or_none,
)
from callcenter.web.limits import sign_in_limit
from callcenter.web.pages.frame import SignInPage

bp = blueprint("auth")


def _safe_next(raw: str | None) -> str | None:
    """Return a path on this site, None for anything that could lead elsewhere."""
    if not raw or not raw.startswith("/") or raw.startswith(("//", "/\\")) or urlsplit(raw).netloc:
        return None
    return raw


def _page(login: str = "", error: str | None = None) -> str:
    settings = runtime().settings
    page = SignInPage(
        organisation=settings.bank_name,
        language=language(),
        theme="auto",
        csrf_token=generate_csrf(),
        next_url=_safe_next(request.values.get("next")),
        email=login,
        error=error,
        demo_sign_ins=demo_sign_ins(settings),
    )
    return render_template("auth/sign_in.html", page=page)


@bp.get("/sign-in")
def sign_in_form() -> str | AnyResponse:
    """Show the form; somebody signed in already goes to their own page."""
    user = viewer_or_none()
    return redirect(HOMES[Role(user.role)]) if user else _page()


@bp.post("/sign-in")
def sign_in() -> Response | AnyResponse:
    """Check login and password; ten tries a minute for one login from one address are enough."""
    # PostgreSQL text cannot hold U+0000; nobody's login does.
    login = request.form.get("email", "").replace("\x00", "\ufffd")
    password = request.form.get("password", "")
    if not sign_in_limit(runtime(), request.remote_addr or "", login):
        text = gettext("Too many attempts. Wait a minute and try again.")
        return make_response(_page(login, text), 429)
    with runtime().unit_of_work() as session:
        user = authenticate(session, login, password)
        if user is not None:
            pipeline.record_sign_in(session, user.id, runtime().clock())
    if user is None:
        return make_response(_page(login, gettext("Login or password is not right. Try again.")), 401)
    login_user(SignedIn(user))
    return redirect(_safe_next(request.form.get("next")) or HOMES[Role(user.role)])


@bp.post("/sign-out")
@roles_required(*Role)
def sign_out() -> AnyResponse:
    """Sign out; an agent also signs off, a call or wrap-up under way stays theirs."""
    user = viewer()
    if user.role == Role.AGENT:
        with runtime().unit_of_work() as session:
            pipeline.sign_off(session, user.id, runtime().clock())
    logout_user()
    return redirect("/sign-in")


@bp.post("/preferences")
@roles_required(*Role)
def preferences() -> AnyResponse:
    """Change theme or language and go back to the page."""
    theme, chosen = request.form.get("theme"), request.form.get("language")
    with runtime().unit_of_work() as session:
        pipeline.set_preferences(session, viewer().id, theme=theme, language=chosen)
    back = urlsplit(request.referrer or "").path
    return redirect(_safe_next(back) or HOMES[Role(viewer().role)])
