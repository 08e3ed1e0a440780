"""Twilio's callbacks: whether Twilio signed them, and what they say in our words.

Parameters come and go without notice: an unknown one is kept and never an error, a missing one is not known.
What names a person's number or place is not kept; the attempt knows its number already.
"""

import hashlib
import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from twilio.request_validator import (
    HMAC_SHA1,
    SIGNATURE_HEADER,
    SIGNATURE_SETTINGS_HEADER,
    RequestValidator,
    get_signature_algorithm,
)
from werkzeug.datastructures import MultiDict

from callcenter.domain.enums import AnsweredBy
from callcenter.domain.ports import (
    CallbackNews,
    CallbackRequest,
    CarrierEvent,
    MachineHeard,
    RecordingEvent,
    RecordingState,
    RoomChange,
    RoomEvent,
)
from callcenter.telephony.twilio_calls import STATES
from callcenter.telephony.twilio_line import TwilioAccount

_CHANGES = {
    "conference-start": RoomChange.STARTED,
    "conference-end": RoomChange.ENDED,
    "participant-join": RoomChange.JOINED,
    "participant-leave": RoomChange.LEFT,
    "participant-mute": RoomChange.CHANGED,
    "participant-unmute": RoomChange.CHANGED,
    "participant-hold": RoomChange.CHANGED,
    "participant-unhold": RoomChange.CHANGED,
    "participant-modify": RoomChange.CHANGED,
}
_RECORDINGS = {
    "in-progress": RecordingState.RUNNING,
    "completed": RecordingState.READY,
    "absent": RecordingState.ABSENT,
    "failed": RecordingState.ABSENT,
}
_PERSONAL_NAME = re.compile(r"(To|From|Caller|Called|Forwarded)(City|State|Zip|Country|Name|From|Id)?")
_ADDRESS = re.compile(r"\+\d{6,15}|(client|sips?|tel):.*", re.DOTALL)


def is_signed(account: TwilioAccount, request: CallbackRequest) -> bool:
    """Check the signature over our public address, the raw target and every form field as sent.

    Twilio names the algorithm in a header when it is not the usual one. False for anything odd; never raises.
    """
    headers = {name.lower(): value for name, value in request.headers.items()}
    signature = headers.get(SIGNATURE_HEADER.lower(), "")
    if not signature:
        return False
    algorithm = get_signature_algorithm(headers.get(SIGNATURE_SETTINGS_HEADER.lower(), ""))
    secret = account.auth_token
    if algorithm.upper() != HMAC_SHA1:
        secret = account.shared_key_secret or account.auth_token
    url = account.public_base_url + request.target
    try:
        validator = RequestValidator(secret)
        return bool(secret) and bool(validator.validate(url, MultiDict(request.form), signature, algorithm))
    except (ValueError, TypeError):  # a target that is no address, or text that is no UTF-8
        return False


def news_in(request: CallbackRequest) -> Sequence[CallbackNews]:
    """Read a callback by what it carries; nothing when that is nothing we know."""
    form = dict(request.form)
    news: CallbackNews | None = None
    if form.get("RecordingSid") and form.get("RecordingStatus"):
        news = _recording(form)
    elif form.get("ConferenceSid") and form.get("StatusCallbackEvent"):
        news = _room(form)
    elif form.get("CallSid") and form.get("AnsweredBy") and not form.get("CallStatus"):
        news = _machine(form)
    elif form.get("CallSid"):
        news = _call(form)
    return () if news is None else (news,)


def answered_by(value: str | None) -> AnsweredBy | None:
    """Who picked up; Twilio tells four kinds of machine apart, we do not. None when it does not say."""
    if not value:
        return None
    if value.startswith("machine"):
        return AnsweredBy.MACHINE
    return {"human": AnsweredBy.HUMAN, "fax": AnsweredBy.FAX}.get(value, AnsweredBy.UNKNOWN)


def _call(form: Mapping[str, str]) -> CarrierEvent | None:
    ref, status = form["CallSid"], form.get("CallStatus", "")
    if status not in STATES:
        return None
    state, result = STATES[status]
    return CarrierEvent(
        ref=ref,
        key=_key(ref, status, form.get("SequenceNumber", "")),
        state=state,
        result=result,
        occurred_at=_moment(form.get("Timestamp")),
        talk_seconds=_whole(form.get("CallDuration")),
        answered_by=answered_by(form.get("AnsweredBy")),
        raw=_kept(form),
    )


def _machine(form: Mapping[str, str]) -> MachineHeard:
    ref, heard = form["CallSid"], form["AnsweredBy"]
    return MachineHeard(
        ref=ref,
        key=_key("amd", ref, heard),
        answered_by=answered_by(heard) or AnsweredBy.UNKNOWN,
        after_ms=_whole(form.get("MachineDetectionDuration")),
        raw=_kept(form),
    )


def _room(form: Mapping[str, str]) -> RoomEvent | None:
    room_ref, event = form["ConferenceSid"], form["StatusCallbackEvent"]
    room, ref = form.get("FriendlyName", ""), form.get("CallSid") or None
    if event not in _CHANGES or not room:
        return None
    place = form.get("SequenceNumber") or form.get("Timestamp", "")
    return RoomEvent(
        room=room,
        key=_key("room", room_ref, event, ref or "", place),
        change=_CHANGES[event],
        ref=ref,
        muted=_truth(form.get("Muted")),
        held=_truth(form.get("Hold")),
        coaching=_truth(form.get("Coaching")),
        reason=form.get("ReasonParticipantLeft") or form.get("ReasonConferenceEnded") or None,
        sequence=_whole(form.get("SequenceNumber")),
        room_ref=room_ref,
        occurred_at=_moment(form.get("Timestamp")),
        raw=_kept(form),
    )


def _recording(form: Mapping[str, str]) -> RecordingEvent | None:
    ref, status = form["RecordingSid"], form["RecordingStatus"]
    if status not in _RECORDINGS:
        return None
    return RecordingEvent(
        ref=ref,
        key=_key("recording", ref, status),
        state=_RECORDINGS[status],
        call_ref=form.get("CallSid") or None,
        room_ref=form.get("ConferenceSid") or None,
        seconds=_whole(form.get("RecordingDuration")),
        raw=_kept(form),
    )


def _key(*parts: str) -> str:
    """The same for a callback delivered again, another for another event."""
    return hashlib.sha256("|".join(parts).encode("utf-8", "backslashreplace")).hexdigest()


def _kept(form: Mapping[str, str]) -> dict[str, str]:
    return {
        name: value
        for name, value in form.items()
        if not _PERSONAL_NAME.fullmatch(name) and not _ADDRESS.fullmatch(value.strip())
    }


def _whole(value: str | None) -> int | None:
    return int(value) if value and value.isascii() and value.isdigit() else None


def _truth(value: str | None) -> bool | None:
    return {"true": True, "false": False}.get((value or "").lower())


def _moment(value: str | None) -> datetime | None:
    """Twilio's time, in whole seconds; None when it is none."""
    try:
        moment = parsedate_to_datetime(value or "")
    except (ValueError, TypeError):
        return None
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
