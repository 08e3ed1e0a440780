"""Our decisions in Twilio's markup (TwiML)."""

from twilio.twiml.voice_response import Dial, VoiceResponse

from callcenter.domain.ports import (
    Answer,
    JoinRoom,
    RoomRole,
    SayAndHangUp,
    SayAndWait,
)
from callcenter.telephony.twilio_line import CallbackUrls

ROOM_EVENTS = "start end join leave mute hold modify"
_PAUSE_SECONDS = 30
_TIMES = 20
"""Ten minutes of waiting in one document; Twilio asks again when it has come to the end."""
_VOICES = {"en": "en-US", "zh": "zh-CN"}
"""Languages Twilio speaks in several ways; others it takes as they are."""


def rendered(decision: Answer, urls: CallbackUrls) -> str:
    """Put a decision into TwiML; what is said is escaped."""
    response = VoiceResponse()
    if isinstance(decision, JoinRoom):
        response.append(_room(decision, urls))
    elif isinstance(decision, SayAndHangUp):
        response.say(decision.message, language=voice_of(decision.language))
        response.hangup()
    elif isinstance(decision, SayAndWait):
        for _ in range(_TIMES):  # a redirect would make every turn a request of ours
            response.say(decision.message, language=voice_of(decision.language))
            response.pause(length=_PAUSE_SECONDS)
    else:
        response.hangup()
    return str(response)


def voice_of(language: str) -> str:
    """Twilio's tag for a language of ours."""
    plain = language.replace("_", "-")
    return _VOICES.get(plain, plain)


def _room(decision: JoinRoom, urls: CallbackUrls) -> Dial:
    """The room outlives every leg: our server decides what a leave means.

    Every leg names the callbacks, because the first leg's word on them counts for the whole life of the room
    and any leg may come first. Silence while alone, and no beeps.

    A room is never recorded: it outlives many customers, and one file would hold them all. Each customer's
    own call is recorded, from where it is placed.

    Legs bear no label: Twilio keeps a leg out of the room whose label is taken, and a leg that comes back,
    or the next customer, may arrive before the last one's label is free.
    """
    is_heard = decision.role is not RoomRole.SUPERVISOR
    dial = Dial()
    dial.conference(
        decision.room,
        muted=not is_heard,
        start_conference_on_enter=is_heard,
        end_conference_on_exit=False,
        beep=False,
        wait_url="",
        status_callback=urls.room_events(decision.agent_id),
        status_callback_method="POST",
        status_callback_event=ROOM_EVENTS,
    )
    return dial
