"""The parameters of every webhook, in Twilio's names and shapes, and who asked to hear of what."""

import math
from datetime import datetime
from email.utils import format_datetime

from .records import Call, CallStatus, Conference, Params, Participant
from .twiml import Callback
from .webhooks import Webhook
from .world import World

API_VERSION = "2010-04-01"
COUNTRIES = {"+1": "US", "+91": "IN", "+44": "GB", "+971": "AE", "+65": "SG"}
ROOM_EVENTS = {
    "conference-start": "start",
    "conference-end": "end",
    "participant-join": "join",
    "participant-leave": "leave",
    "participant-mute": "mute",
    "participant-unmute": "mute",
    "participant-hold": "hold",
    "participant-unhold": "hold",
    "participant-modify": "modify",
}


def rfc2822(moment: datetime) -> str:
    """`Sun, 25 Mar 2018 09:53:19 +0000`: whole seconds, UTC."""
    return format_datetime(moment.replace(microsecond=0))


def truth(value: bool) -> str:
    return "true" if value else "false"


def call_params(world: World, call: Call, status: str | None = None) -> Params:
    """What every webhook about a call carries."""
    order = call.order
    params = [
        ("CallSid", call.sid),
        ("AccountSid", world.settings.account_sid),
        ("ApiVersion", API_VERSION),
        ("Direction", order.direction),
        ("CallStatus", status or call.status.value),
        ("From", order.caller),
        ("To", order.to),
        ("Caller", order.caller),
        ("Called", order.to),
    ]
    for side, address in (
        ("From", order.caller),
        ("To", order.to),
        ("Caller", order.caller),
        ("Called", order.to),
    ):
        params += [(f"{side}City", ""), (f"{side}State", ""), (f"{side}Zip", "")]
        params.append((f"{side}Country", _country(address)))
    return params + list(order.extra)


def _country(address: str) -> str:
    return next((name for prefix, name in COUNTRIES.items() if address.startswith(prefix)), "")


def announce_call(world: World, call: Call, event: str, status: str | None = None) -> None:
    """Send the status callback of `event` (initiated, ringing, answered, completed) if it was asked for."""
    order, now = call.order, world.books.now()
    world.journal.note(f"call.{event}", call=call.sid, status=status or call.status.value)
    if order.status_callback is None or event not in order.events:
        return
    params = call_params(world, call, status)
    params += [
        ("Timestamp", rfc2822(now)),
        ("CallbackSource", "call-progress-events"),
        ("SequenceNumber", str(call.callbacks_fired)),
    ]
    if event in ("ringing", "answered"):
        params.append(("StirStatus", "B"))
    if event == "completed":
        seconds = whole_seconds(call, now)
        params += [
            ("CallDuration", str(seconds)),
            ("Duration", str(math.ceil(seconds / 60))),
            ("SipResponseCode", str(call.sip_code)),
        ]
    if event in ("answered", "completed"):
        params += answered_by_params(call)
    call.callbacks_fired += 1
    world.courier.send(
        Webhook("status", call.sid, order.status_callback, params, order.status_callback_method)
    )


def answered_by_params(call: Call) -> Params:
    """What the machine detector said, if it has."""
    if call.answered_by is None:
        return []
    return [("AnsweredBy", call.answered_by), ("MachineDetectionDuration", str(call.amd_ms))]


def announce_detection(world: World, call: Call, callback: Callback) -> None:
    """The asynchronous detector's own callback."""
    params = [("CallSid", call.sid), ("AccountSid", world.settings.account_sid), *answered_by_params(call)]
    world.courier.send(Webhook("amd", call.sid, callback.url, params, callback.method))


def whole_seconds(call: Call, now: datetime) -> int:
    """A call that was answered lasted at least one second, as on a bill."""
    return max(1, round(call.duration_s(now))) if call.answered_at else 0


def announce_room(
    world: World,
    room: Conference,
    event: str,
    participant: Participant | None = None,
    extra: Params | None = None,
) -> None:
    """Send a conference callback, if the first participant's `<Conference>` asked for that kind."""
    call_sid = participant.call_sid if participant else None
    world.journal.note(f"room.{event}", room=room.sid, call=call_sid)
    if event == "conference-end" and world.faults.strikes("conference_end_lost"):
        return
    if room.callback_url is None or ROOM_EVENTS[event] not in room.callback_events:
        return
    params = [
        ("ConferenceSid", room.sid),
        ("FriendlyName", room.name),
        ("AccountSid", world.settings.account_sid),
        ("SequenceNumber", str(room.callbacks_fired)),
        ("Timestamp", rfc2822(world.books.now())),
        ("StatusCallbackEvent", event),
    ]
    if participant is not None:
        params += _participant_params(participant)
    room.callbacks_fired += 1
    world.courier.send(
        Webhook("conference", room.sid, room.callback_url, params + (extra or []), room.callback_method)
    )


def _participant_params(participant: Participant) -> Params:
    params = [
        ("CallSid", participant.call_sid),
        ("Muted", truth(participant.muted)),
        ("Hold", truth(participant.hold)),
        ("Coaching", truth(participant.coaching)),
        ("EndConferenceOnExit", truth(participant.end_on_exit)),
        ("StartConferenceOnEnter", truth(participant.start_on_enter)),
    ]
    if participant.label:
        params.append(("ParticipantLabel", participant.label))
    if participant.call_sid_to_coach:
        params.append(("CallSidToCoach", participant.call_sid_to_coach))
    return params


def left_params(call: Call, reason: str) -> Params:
    """What a participant-leave adds."""
    status = CallStatus.COMPLETED if not call.is_live else call.status
    return [("ParticipantCallStatus", status.value), ("ReasonParticipantLeft", reason)]
