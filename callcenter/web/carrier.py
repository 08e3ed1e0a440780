"""The carrier's callbacks: signed, kept once, answered after the commit."""

from uuid import UUID

from flask import Response, request

from callcenter import pipeline
from callcenter.domain.ports import Answer, CallbackRequest, HangUp, JoinRoom
from callcenter.errors import Forbidden
from callcenter.models import Agent
from callcenter.web.edge import blueprint, runtime

bp = blueprint("carrier")
_XML = "text/xml; charset=utf-8"


def _verified() -> CallbackRequest:
    """Return the request in the port's own words; raises Forbidden when the carrier did not sign it."""
    target = request.environ.get("RAW_URI") or request.environ.get("REQUEST_URI")
    if not target:
        target = request.full_path if request.query_string else request.path
    seen = CallbackRequest(target, list(request.form.items(multi=True)), dict(request.headers))
    if not runtime().carrier.verify(seen):
        raise Forbidden("The signature does not match.")
    return seen


@bp.post("/carrier/twilio/attempt/<uuid:attempt_id>/status")
def attempt_status(attempt_id: UUID) -> tuple[str, int]:
    """Take in how far a call has come."""
    event = runtime().carrier.parse(_verified())
    if event is not None:
        with runtime().unit_of_work() as session:
            pipeline.note_call_progress(session, attempt_id, event, runtime().clock())
    return "", 204


@bp.post("/carrier/twilio/attempt/<uuid:attempt_id>/answer")
def attempt_answer(attempt_id: UUID) -> Response:
    """Say what the customer who has just picked up hears."""
    _verified()
    decision: Answer = HangUp()
    if ref := request.form.get("CallSid"):  # a call without a name cannot be tied to an attempt
        with runtime().unit_of_work() as session:
            decision = pipeline.answer_call(session, attempt_id, ref, runtime().clock())
    return Response(runtime().carrier.answer(decision), content_type=_XML)


@bp.post("/carrier/twilio/agent/<uuid:agent_id>/status")
def agent_status(agent_id: UUID) -> tuple[str, int]:
    """Take in what became of the call that keeps an agent in their room."""
    event = runtime().carrier.parse(_verified())
    if event is not None:
        with runtime().unit_of_work() as session:
            pipeline.note_agent_leg(session, agent_id, event.ref, event.state, runtime().clock())
    return "", 204


@bp.post("/carrier/twilio/agent/<uuid:agent_id>/answer")
def agent_answer(agent_id: UUID) -> Response:
    """Put an agent who has picked up into their room."""
    _verified()
    with runtime().reading() as session:
        known = session.get(Agent, agent_id) is not None
    decision: Answer = JoinRoom(pipeline.room_of(agent_id)) if known else HangUp()
    return Response(runtime().carrier.answer(decision), content_type=_XML)
