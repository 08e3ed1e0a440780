"""The carrier's callbacks: signed, kept once, answered after the commit."""

from uuid import UUID

from flask import Response, request

from callcenter import pipeline, talk
from callcenter.dialing.messages import waiting_message
from callcenter.domain.ports import (
    Answer,
    CallbackRequest,
    CarrierEvent,
    HangUp,
    MachineHeard,
    RecordingEvent,
    RoomEvent,
    SayAndWait,
)
from callcenter.errors import Forbidden
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
    for event in runtime().carrier.parse(_verified()):
        if isinstance(event, CarrierEvent):
            with runtime().unit_of_work() as session:
                pipeline.note_call_progress(session, attempt_id, event, runtime().clock())
    return "", 204


@bp.post("/carrier/twilio/attempt/<uuid:attempt_id>/amd")
def attempt_machine(attempt_id: UUID) -> tuple[str, int]:
    """Take in what answering-machine detection heard."""
    for event in runtime().carrier.parse(_verified()):
        if isinstance(event, MachineHeard):
            with runtime().unit_of_work() as session:
                talk.note_machine_heard(session, attempt_id, event, runtime().clock())
    return "", 204


@bp.post("/carrier/twilio/attempt/<uuid:attempt_id>/answer")
def attempt_answer(attempt_id: UUID) -> Response:
    """Say what the customer who has just picked up hears."""
    _verified()
    decision: Answer = HangUp()
    if ref := request.form.get("CallSid"):  # a call without a name cannot be tied to an attempt
        with runtime().unit_of_work() as session:
            decision = pipeline.answer_call(session, runtime().house, attempt_id, ref, runtime().clock())
    return Response(runtime().carrier.answer(decision), content_type=_XML)


@bp.post("/carrier/twilio/attempt/<uuid:attempt_id>/recording")
def attempt_recording(attempt_id: UUID) -> tuple[str, int]:
    """Take in where the recording of a call is."""
    for event in runtime().carrier.parse(_verified()):
        if isinstance(event, RecordingEvent):
            with runtime().unit_of_work() as session:
                talk.note_recording(session, attempt_id, event, runtime().clock())
    return "", 204


@bp.post("/carrier/twilio/agent/<uuid:agent_id>/status")
def agent_status(agent_id: UUID) -> tuple[str, int]:
    """Take in what became of the call that keeps an agent in their room."""
    for event in runtime().carrier.parse(_verified()):
        if isinstance(event, CarrierEvent):
            with runtime().unit_of_work() as session:
                talk.note_agent_leg(session, agent_id, event.ref, event.state, runtime().clock())
    return "", 204


@bp.post("/carrier/twilio/agent/<uuid:agent_id>/answer")
def agent_answer(agent_id: UUID) -> Response:
    """Put an agent who has picked up into their room."""
    _verified()
    with runtime().reading() as session:
        decision = talk.answer_agent(session, agent_id)
    return Response(runtime().carrier.answer(decision), content_type=_XML)


@bp.post("/carrier/twilio/watch/<uuid:watch_id>/status")
def watch_status(watch_id: UUID) -> tuple[str, int]:
    """Take in what became of a supervisor's line."""
    for event in runtime().carrier.parse(_verified()):
        if isinstance(event, CarrierEvent):
            with runtime().unit_of_work() as session:
                talk.note_watch(session, watch_id, event.ref, event.state, runtime().clock())
    return "", 204


@bp.post("/carrier/twilio/watch/<uuid:watch_id>/answer")
def watch_answer(watch_id: UUID) -> Response:
    """Put a supervisor who has picked up into the room, unheard."""
    _verified()
    decision: Answer = HangUp()
    if ref := request.form.get("CallSid"):
        with runtime().unit_of_work() as session:
            decision = talk.answer_watch(session, watch_id, ref, runtime().clock())
    return Response(runtime().carrier.answer(decision), content_type=_XML)


@bp.post("/carrier/twilio/room/<uuid:agent_id>/events")
def room_events(agent_id: UUID) -> tuple[str, int]:
    """Take in what happened in an agent's room."""
    for event in runtime().carrier.parse(_verified()):
        if isinstance(event, RoomEvent):
            with runtime().unit_of_work() as session:
                talk.note_room_event(session, agent_id, event, runtime().clock())
    return "", 204


@bp.post("/carrier/twilio/hold/<language>")
def hold_message(language: str) -> Response:
    """Say what somebody on hold hears."""
    _verified()
    decision = SayAndWait(waiting_message(language), language)
    return Response(runtime().carrier.answer(decision), content_type=_XML)
