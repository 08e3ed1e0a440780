"""The browser as the agent's telephone: what it signs on with, and where it may connect to."""

from datetime import timedelta
from urllib.parse import urlsplit

from flask import Response, jsonify
from flask_babel import gettext

from callcenter import talk
from callcenter.config import Settings
from callcenter.domain.enums import Role
from callcenter.errors import ConfigError, Conflict
from callcenter.models import Agent
from callcenter.web.edge import blueprint, roles_required, runtime, viewer
from callcenter.web.pages.console import Softphone

bp = blueprint("softphone")

TOKEN_LASTS = timedelta(hours=1)
_ADDRESS = "client:"
_TWILIO_SOURCES = (
    "connect-src 'self' wss://voice-js.roaming.twilio.com https://eventgw.twilio.com; "
    "media-src mediastream: https://sdk.twilio.com"
)


@bp.post("/console/softphone")
@roles_required(Role.AGENT)
def sign_on() -> Response:
    """Give an agent's browser what it needs to be their telephone for an hour."""
    user, now = viewer(), runtime().clock()
    with runtime().reading() as session:
        agent = session.get(Agent, user.id) if user.role == Role.AGENT else None
        address = agent.address if agent else ""
    phone = softphone_of(runtime().settings, address)
    if phone is None:
        raise Conflict(gettext("You talk on a telephone of your own; this page needs no softphone."))
    try:
        given = runtime().carrier.softphone_credentials(user.id, TOKEN_LASTS, now)
    except ConfigError as error:
        # What is missing is for the operator, who reads it in the log; the agent can only ask.
        raise Conflict(gettext("The softphone is not set up yet; tell your administrator.")) from error
    return jsonify(
        kind=phone.kind,
        url=phone.url,
        token=given.token,
        identity=given.identity,
        expires_at=given.expires_at.isoformat(),
    )


@bp.post("/console/softphone/ready")
@roles_required(Role.AGENT)
def is_ready() -> tuple[str, int]:
    """Hear that the agent's browser is a telephone now: an available agent without a line is called."""
    if viewer().role == Role.AGENT:
        with runtime().unit_of_work() as session:
            talk.ask_for_line(session, viewer().id, runtime().clock())
    return "", 204


def softphone_of(settings: Settings, address: str) -> Softphone | None:
    """Return the softphone of an agent with this address; None for one with a telephone of their own."""
    if not address.startswith(_ADDRESS):
        return None
    if settings.carrier == "twilio":
        return Softphone("twilio")
    return Softphone(
        "simulator", settings.carrier_base_url or f"http://127.0.0.1:{settings.carrier_sim_port}"
    )


def sources_of(settings: Settings) -> str:
    """Return what the console's content security policy allows beyond our own pages, for its softphone."""
    if settings.carrier == "twilio":
        return _TWILIO_SOURCES
    phone = softphone_of(settings, _ADDRESS)
    host = urlsplit(phone.url or "").netloc if phone else ""
    return f"connect-src 'self' http://{host} ws://{host}; media-src 'self' mediastream: blob: http://{host}"
