"""What every edge shares: who asks, in which language, and how a refusal looks."""

from collections.abc import Callable
from functools import wraps
from typing import Any, ParamSpec, TypeVar, cast
from uuid import UUID
from zoneinfo import ZoneInfo

from flask import Blueprint, Flask, Response, current_app, g, request
from flask_babel import gettext
from flask_login import current_user
from flask_wtf.csrf import CSRFError
from sqlalchemy.exc import OperationalError
from werkzeug.exceptions import HTTPException

from callcenter.domain.enums import Role
from callcenter.errors import BadInput, CallCenterError, Forbidden
from callcenter.models import User
from callcenter.runtime import Runtime
from callcenter.web.pages.frame import ErrorPage, Frame, NavItem

P = ParamSpec("P")
R = TypeVar("R")
LANGUAGES = ("en", "zh")


class SignedIn:
    """The signed-in user as Flask-Login wants them; the row itself is read anew for each request."""

    is_authenticated = True
    is_active = True
    is_anonymous = False

    def __init__(self, user: User) -> None:
        self.user = user

    def get_id(self) -> str:
        """What the session cookie keeps."""
        return str(self.user.id)


def runtime() -> Runtime:
    """Return the process's runtime."""
    return cast(Runtime, current_app.extensions["callcenter"])


def viewer() -> User:
    """Return the signed-in user; only behind `roles_required`."""
    return cast(User, current_user.user)


def viewer_or_none() -> User | None:
    """Return the signed-in user, None for a stranger and for everybody while the database is away."""
    try:
        return cast(User, current_user.user) if current_user.is_authenticated else None
    except OperationalError:
        # A page that says so must be rendered without asking the database again: a stranger until then.
        g._login_user = current_app.login_manager.anonymous_user()  # type: ignore[attr-defined]
        return None


def roles_required(*roles: Role) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Let only these roles in, and the administrator; strangers are sent to sign in."""

    def decorate(view: Callable[P, R]) -> Callable[P, R]:
        @wraps(view)
        def guarded(*args: P.args, **kwargs: P.kwargs) -> R:
            if not current_user.is_authenticated:
                return cast(R, current_app.login_manager.unauthorized())  # type: ignore[attr-defined]
            if viewer().role not in (*roles, Role.ADMIN):
                raise Forbidden("Your role may not open this. Ask your supervisor.")
            return view(*args, **kwargs)

        return guarded

    return decorate


def show_as(language: str, zone_name: str) -> None:
    """Let this request's page be in a language and zone of its own, whoever looks at it."""
    g.shown_as = (language, ZoneInfo(zone_name))


def language() -> str:
    """Return the viewer's language; a stranger's is their browser's."""
    if shown_as := g.get("shown_as"):
        return str(shown_as[0])
    user = viewer_or_none()
    if user is not None:
        return user.language
    return request.accept_languages.best_match(LANGUAGES) or "en"


def zone() -> ZoneInfo:
    """Return the viewer's time zone."""
    if shown_as := g.get("shown_as"):
        return cast(ZoneInfo, shown_as[1])
    user = viewer_or_none()
    return ZoneInfo(user.time_zone if user else "UTC")


def chosen(texts: object, otherwise: str = "") -> str:
    """Return a row's label in the viewer's language, else in English, else any."""
    if not isinstance(texts, dict) or not texts:
        return otherwise
    return str(texts.get(language()) or texts.get("en") or next(iter(texts.values())))


_NAV = {
    Role.AGENT: (NavItem("console", "/console", "c"),),
    Role.SUPERVISOR: (
        NavItem("floor", "/floor", "f"),
        NavItem("queue", "/floor/queue", "q"),
        NavItem("alerts", "/floor/alerts", "a"),
        NavItem("reports", "/floor/reports", "r"),
        NavItem("quality", "/floor/quality", "u"),
        NavItem("wallboard", "/floor/wallboard", "b"),
    ),
    Role.STRATEGIST: (
        NavItem("journeys", "/studio", "j"),
        NavItem("analyses", "/studio/analyses", "n"),
        NavItem("rules", "/studio/rules", "r"),
        NavItem("effects", "/studio/effects", "e"),
        NavItem("proposals", "/studio/proposals", "p"),
        NavItem("scripts", "/studio/scripts", "s"),
        NavItem("learning", "/studio/learning", "l"),
        NavItem("offers", "/studio/offers", "f"),
        NavItem("voice", "/studio/voice", "v"),
        NavItem("segments", "/studio/segments", "t"),
        NavItem("sources", "/admin/sources", "o"),
    ),
    Role.COMPLIANCE: (
        NavItem("gate", "/compliance", "m"),
        NavItem("packs", "/compliance/packs", "p"),
        NavItem("ledgers", "/compliance/ledgers", "l"),
        NavItem("decisions", "/compliance/decisions", "d"),
        NavItem("what_if", "/compliance/what-if", "w"),
        NavItem("trail", "/compliance/audit", "a"),
    ),
}
_NAV_ADMIN = (
    _NAV[Role.SUPERVISOR][0],
    *_NAV[Role.STRATEGIST],
    _NAV[Role.COMPLIANCE][0],
    NavItem("people", "/admin/people", "h"),
    NavItem("systems", "/admin/api-tokens", "y"),
)
HOMES = {
    Role.AGENT: "/console",
    Role.SUPERVISOR: "/floor",
    Role.STRATEGIST: "/studio",
    Role.COMPLIANCE: "/compliance",
    Role.ADMIN: "/floor",
}


def frame(here: str, *, team: str = "", live_url: str | None = None, state_url: str | None = None) -> Frame:
    """Return the head and navigation of a page for the signed-in viewer."""
    from flask_wtf.csrf import generate_csrf

    user = viewer()
    role = Role(user.role)
    return Frame(
        organisation=runtime().settings.bank_name,
        user_name=user.name,
        team=team,
        language=user.language,
        theme=user.theme,
        now=runtime().clock(),
        csrf_token=generate_csrf(),
        here=here,
        nav=_NAV_ADMIN if role is Role.ADMIN else _NAV[role],
        live_url=live_url,
        state_url=state_url,
    )


def uuid_field(value: object) -> UUID:
    """Read an id from a form; raises BadInput otherwise."""
    try:
        return UUID(str(value))
    except ValueError:
        raise BadInput("That id is not one. Reload the page and try again.") from None


def wants_json() -> bool:
    """Whether the asker is a program: the collector's, the carrier's and the health routes."""
    return request.path.startswith(
        ("/api/v1/", "/v1/", "/beacon/", "/pixel/", "/sourceConfig", "/carrier/", "/healthz", "/readyz")
    ) or ("application/json" in request.headers.get("Accept", ""))


def told(error: CallCenterError) -> str:
    """What a person reads of a refusal, in their own language."""
    return gettext(error.template, **error.values)


def signed_out_words() -> str:
    """What a person reads whose session has ended."""
    return gettext("You are signed out. Sign in again in another tab; what you typed stays here.")


def install_errors(app: Flask) -> None:
    """Render every refusal in one place: JSON for programs, a sentence for a form, a page for a reader."""

    @app.errorhandler(CallCenterError)
    def refused(error: CallCenterError) -> Response:
        # Refusals are written where they arise, in English; people read them in their own language.
        message = error.message if wants_json() or not error.message else told(error)
        return render_refusal(error.status, error.code, message, getattr(error, "fields", None))

    @app.errorhandler(CSRFError)
    def unknown_form(_: CSRFError) -> Response:
        if viewer_or_none() is None:
            return render_refusal(401, "signed_out", signed_out_words(), None)
        text = gettext(
            "You have signed in anew since this page was opened. Press again; nothing typed is lost."
        )
        return render_refusal(400, "stale_page", text, None)

    @app.errorhandler(HTTPException)
    def http(error: HTTPException) -> Response:
        response = error.get_response()
        if response.status_code in (301, 302, 303, 304, 307, 308):
            return cast(Response, response)
        code = (error.name or "error").lower().replace(" ", "_")
        # Werkzeug explains itself in English only: people read the page's own words for the status.
        message = (error.description or "") if wants_json() else ""
        return render_refusal(error.code or 500, code, message, None)

    @app.errorhandler(Exception)
    def fault(error: Exception) -> Response:
        # The number on the page finds the line in the log: the moment, to the millisecond, in UTC.
        number = runtime().clock().strftime("%m%d-%H%M%S-%f")[:-3]
        app.logger.error(
            "request.failed %s %s %s", number, request.endpoint, type(error).__name__, exc_info=error
        )
        return render_refusal(500, "internal_error", "", None, number)


def log_database_away(error: OperationalError) -> None:
    """Tell the operator why senders and people get 503: what PostgreSQL calls its state, never what was asked."""
    cause = error.orig or error
    state = getattr(cause, "sqlstate", None) or "no answer"
    current_app.logger.error("database.away %s %s %s", request.endpoint, type(cause).__name__, state)


def render_refusal(status: int, code: str, message: str, fields: Any, number: str | None = None) -> Response:
    """Render one refusal as its asker reads it: JSON, a sentence, or a page.

    `number` is what an administrator looks for in the log.
    """
    from flask import jsonify, make_response, render_template

    if request.path.startswith("/api/v1/"):
        from callcenter.web.api.problems import problem

        response = problem(status, code, message, fields)
    elif wants_json():
        body: dict[str, Any] = {"code": code, "message": message or code}
        if fields:
            body["fields"] = fields
        response = jsonify(body)
    elif request.headers.get("HX-Request") or not request.accept_mimetypes.accept_html:
        response = make_response(message)
        response.headers["Content-Type"] = "text/plain; charset=utf-8"
    else:
        user = viewer_or_none()
        page = ErrorPage(
            organisation=runtime().settings.bank_name,
            language=language(),
            theme=user.theme if user else "auto",
            status=status,
            message=message or None,
            request_id=number,
            retry_url=request.full_path.rstrip("?") if request.method == "GET" and status >= 429 else None,
            home_url=HOMES[Role(user.role)] if user else "/sign-in",
        )
        response = make_response(render_template("error.html", page=page))
    response.status_code = status
    if status == 503:
        response.headers["Retry-After"] = "5"
    return response


def blueprint(name: str) -> Blueprint:
    """Return a blueprint for one persona or outside system."""
    return Blueprint(name, f"callcenter.web.{name}")
