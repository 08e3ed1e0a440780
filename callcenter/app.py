"""The web application: blueprints by persona, one error renderer, one set of guards."""

from flask import Flask, Response, redirect, request
from flask_babel import Babel, gettext
from flask_login import LoginManager
from flask_wtf.csrf import CSRFProtect
from sqlalchemy.exc import OperationalError
from werkzeug.wrappers import Response as AnyResponse

from callcenter.models import User
from callcenter.runtime import Runtime, get_runtime
from callcenter.web import (
    admin,
    alerts,
    analyses,
    auth,
    back_tests,
    carrier,
    compliance,
    compliance_acts,
    console,
    console_acts,
    console_reviews,
    console_transfers,
    dispatch,
    edge,
    events,
    finding,
    floor_help,
    forcing,
    health,
    learning,
    lists,
    live,
    people_admin,
    proposals,
    quality,
    reports,
    script_results,
    segments,
    softphone,
    strategy,
    studio_offers,
    studio_tables,
    supervisor,
    survey,
    targets,
    tokens_admin,
    voice,
    wallboard,
    webhooks_admin,
)
from callcenter.web.api import document
from callcenter.web.counts import count_in_templates
from callcenter.web.formats import FILTERS

_CSP = (
    "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; frame-ancestors 'none'; "
    "base-uri 'none'; form-action 'self'"
)
csrf = CSRFProtect()
login = LoginManager()


def create_app(runtime: Runtime | None = None) -> Flask:
    """Return the application on a runtime; without one it is made from the environment."""
    runtime = runtime or get_runtime()
    runtime.warm_up()
    app = Flask(__name__)
    # Asked for thousands of times a second: an address that never changes is not built anew for each icon.
    app.jinja_env.globals["icons_url"] = f"{app.static_url_path}/vendor/icons.svg"
    secure = runtime.settings.public_base_url.startswith("https://")
    app.config.update(
        SECRET_KEY=runtime.settings.secret_key,
        SESSION_COOKIE_NAME="callcenter",
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        SESSION_COOKIE_SECURE=secure,
        REMEMBER_COOKIE_SECURE=secure,
        WTF_CSRF_TIME_LIMIT=None,
        BABEL_TRANSLATION_DIRECTORIES="translations",
        MAX_CONTENT_LENGTH=4 * 1024 * 1024,
    )
    app.extensions["callcenter"] = runtime
    app.jinja_env.filters.update(FILTERS)
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    Babel(  # type: ignore[no-untyped-call]
        app, locale_selector=lambda: "zh_Hans" if edge.language() == "zh" else "en", timezone_selector=_zone
    )
    count_in_templates(app.jinja_env)
    csrf.init_app(app)
    _install_sign_in(app, runtime)
    for module in (
        auth,
        console,
        softphone,
        supervisor,
        strategy,
        proposals,
        admin,
        compliance,
        compliance_acts,
        live,
    ):
        app.register_blueprint(module.bp)
    for module in (
        tokens_admin,
        webhooks_admin,
        people_admin,
        console_acts,
        studio_offers,
        console_reviews,
        console_transfers,
        finding,
        floor_help,
        forcing,
        dispatch,
        alerts,
        reports,
        quality,
        targets,
        lists,
        analyses,
        wallboard,
        learning,
        script_results,
        studio_tables,
        back_tests,
        voice,
        segments,
        survey,
    ):
        app.register_blueprint(module.bp)
    for module in (events, carrier, health, document):
        app.register_blueprint(module.bp)
    document.install(app)
    for part in document.PARTS:
        csrf.exempt(part)  # guarded by a token that is never a cookie
    for outside in (events.bp, carrier.bp, health.bp, survey.bp):
        csrf.exempt(outside)  # guarded by write key, signature or signed link, never by a cookie
    edge.install_errors(app)
    app.register_error_handler(OperationalError, _database_away)
    app.after_request(_guard)
    app.add_url_rule("/", "home", lambda: redirect("/sign-in"))
    return app


def _zone() -> str:
    return edge.zone().key


def _install_sign_in(app: Flask, runtime: Runtime) -> None:
    login.init_app(app)

    @login.user_loader  # type: ignore[untyped-decorator]
    def load(user_id: str) -> edge.SignedIn | None:
        with runtime.looking() as session:
            user = session.get(User, edge.uuid_field(user_id))
        return edge.SignedIn(user) if user and user.is_active else None

    @login.unauthorized_handler  # type: ignore[untyped-decorator]
    def stranger() -> AnyResponse | tuple[str, int]:
        if (
            request.method == "GET"
            and not request.headers.get("HX-Request")
            and not request.path.startswith("/live")
        ):
            return redirect("/sign-in?next=" + request.path)
        return edge.signed_out_words(), 401


def _database_away(error: OperationalError) -> Response:
    """A database that is away is said so, with when to come again; nothing was accepted."""
    edge.log_database_away(error)
    from callcenter.errors import Unavailable

    message = "The database does not answer. Try again in a few seconds."
    return edge.render_refusal(
        503, Unavailable.code, message if edge.wants_json() else gettext(message), None
    )


def _guard(response: Response) -> Response:
    """Add the headers that keep pages to themselves."""
    policy = _CSP
    if request.blueprint in (console.bp.name, console_acts.bp.name, console_reviews.bp.name):
        policy = f"{_CSP}; {softphone.sources_of(edge.runtime().settings)}"
    response.headers.setdefault("Content-Security-Policy", policy)
    response.headers.setdefault("X-Content-Type-Options", "nosniff")
    response.headers.setdefault("Referrer-Policy", "same-origin")
    if request.endpoint != "static":
        response.headers.setdefault("Cache-Control", "no-store")
    return response
