"""The supervisor's floor: the page, its live state, freeing an agent, taking part in a call, dialing."""

from uuid import UUID

from flask import redirect, render_template, request
from flask_babel import gettext
from flask_babel import lazy_gettext as _l
from marshmallow import EXCLUDE, Schema, ValidationError, fields, validate
from werkzeug.wrappers import Response as AnyResponse

from callcenter import dialer, gatekeeping, pipeline, talk
from callcenter.domain.enums import DialingMode, Role, SupervisorMode
from callcenter.errors import BadInput
from callcenter.web.edge import blueprint, roles_required, runtime, viewer
from callcenter.web.floor_state import floor_page_now, floor_state_now

bp = blueprint("supervisor")
_WHAT_TO_DO = {
    "mode": _l("Choose one of the modes shown."),
    "lines_per_agent": _l("Lines per agent: give a number from 1 to 3, such as 1.5."),
}
"""What is said about a field that cannot be taken; of the others the form sends nothing else."""


class _Form(Schema):
    """A form of the floor."""

    class Meta:
        """The form carries the CSRF token too, which is not ours to check."""

        unknown = EXCLUDE


class CampaignSchema(_Form):
    """How a campaign shall be dialed."""

    mode = fields.Enum(DialingMode, by_value=True, required=True)
    lines_per_agent = fields.Float(load_default=1.0, validate=validate.Range(1, 3))
    drops_machines = fields.Boolean(load_default=False)


class SwitchSchema(_Form):
    """Whether calls may be placed without an agent's click."""

    allowed = fields.Boolean(required=True)
    confirmed = fields.Boolean(load_default=False)


class WatchSchema(_Form):
    """How a supervisor wants to take part in a call."""

    mode = fields.Enum(SupervisorMode, by_value=True, required=True)


def _read(schema: Schema) -> dict[str, object]:
    """Check the form; raises BadInput that says what to do, in the viewer's language."""
    try:
        loaded: dict[str, object] = schema.load(request.form.to_dict())
    except ValidationError as error:
        names = list(error.messages) if isinstance(error.messages, dict) else []
        other = gettext("Reload the page and press again.")
        texts = {str(name): [str(_WHAT_TO_DO.get(str(name), other))] for name in names}
        message = " ".join(dict.fromkeys(text for found in texts.values() for text in found))
        raise BadInput(message or other, texts) from None
    return loaded


def answer_now() -> str | AnyResponse:
    """Answer an act: with the floor as it is now, or, without scripts, back to the page."""
    return floor_state() if request.headers.get("HX-Request") else redirect("/floor")


@bp.get("/floor")
@roles_required(Role.SUPERVISOR)
def floor() -> str:
    """Show what needs a person now, the queue and the agents."""
    return render_template("floor/page.html", page=floor_page_now())


@bp.get("/floor/state")
@roles_required(Role.SUPERVISOR)
def floor_state() -> str:
    """Answer with the floor as it is now; `team` chooses whose seats."""
    return floor_state_now()


@bp.post("/floor/agents/<uuid:agent_id>/free")
@roles_required(Role.SUPERVISOR)
def free_agent(agent_id: UUID) -> str | AnyResponse:
    """Free an agent's reservation or overdue wrap-up; who did it is kept in the audit trail."""
    with runtime().unit_of_work() as session:
        pipeline.free_agent(session, agent_id, viewer().id, runtime().clock())
    return answer_now()


@bp.post("/floor/agents/<uuid:agent_id>/watch")
@roles_required(Role.SUPERVISOR)
def begin_watch(agent_id: UUID) -> str | AnyResponse:
    """Listen to an agent's call, whisper to the agent or speak to both; the agent's line must be up."""
    mode = SupervisorMode(str(_read(WatchSchema())["mode"]))
    with runtime().unit_of_work() as session:
        talk.begin_watch(session, viewer().id, agent_id, mode, runtime().clock())
    return answer_now()


@bp.post("/floor/watches/<uuid:watch_id>")
@roles_required(Role.SUPERVISOR)
def change_watch(watch_id: UUID) -> str | AnyResponse:
    """Change how the viewer takes part in the call they are on."""
    mode = SupervisorMode(str(_read(WatchSchema())["mode"]))
    with runtime().unit_of_work() as session:
        talk.change_watch(session, watch_id, viewer().id, mode, runtime().clock())
    return answer_now()


@bp.post("/floor/watches/<uuid:watch_id>/leave")
@roles_required(Role.SUPERVISOR)
def leave_watch(watch_id: UUID) -> str | AnyResponse:
    """Leave the call."""
    with runtime().unit_of_work() as session:
        talk.leave_watch(session, watch_id, viewer().id, runtime().clock())
    return answer_now()


@bp.post("/floor/dialing/switch")
@roles_required(Role.SUPERVISOR)
def switch_dialing() -> str | AnyResponse:
    """Make automatic dialing possible, which asks for a confirmation, or impossible, at once."""
    wish = _read(SwitchSchema())
    if wish["allowed"] and not wish["confirmed"]:
        raise BadInput(
            gettext("Automatic dialing stays off. Tick that calls may be placed by themselves first.")
        )
    with runtime().unit_of_work() as session:
        dialer.set_automatic(session, viewer().id, runtime().clock(), allowed=bool(wish["allowed"]))
    return answer_now()


@bp.post("/floor/dialing/<campaign>")
@roles_required(Role.SUPERVISOR)
def set_campaign(campaign: str) -> str | AnyResponse:
    """Set how a campaign's call tasks are dialed."""
    wish = _read(CampaignSchema())
    with runtime().unit_of_work() as session:
        dialer.set_campaign(
            session,
            campaign,
            DialingMode(str(wish["mode"])),
            viewer().id,
            runtime().clock(),
            lines_per_agent=float(str(wish["lines_per_agent"])),
            drops_machines=bool(wish["drops_machines"]),
        )
    return answer_now()


@bp.post("/floor/dialing/<campaign>/<any(pause,resume):act>")
@roles_required(Role.SUPERVISOR)
def pause_campaign(campaign: str, act: str) -> str | AnyResponse:
    """Pause a campaign, or let it go on; its call tasks wait meanwhile."""
    with runtime().unit_of_work() as session:
        gatekeeping.pause_campaign(session, campaign, viewer().id, runtime().clock(), paused=act == "pause")
    return answer_now()


@bp.post("/floor/dialing/<campaign>/hours")
@roles_required(Role.SUPERVISOR)
def set_hours(campaign: str) -> str | AnyResponse:
    """Give a campaign calling hours of its own, or take them away."""
    hours = (request.form.get("opens", ""), request.form.get("closes", ""))
    with runtime().unit_of_work() as session:
        gatekeeping.set_hours(session, campaign, hours, viewer().id, runtime().clock())
    return answer_now()
