"""The JSON of the Twilio face: resources with every declared property, errors, and pages of a list."""

import hashlib
import json
import re
import uuid
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any, TypeVar
from urllib.parse import quote, urlencode

from werkzeug.wrappers import Request, Response

from .callbacks import API_VERSION, rfc2822, whole_seconds
from .records import Call, CallStatus, Conference, Delivery, Participant, Recording
from .world import VoiceApplication

Item = TypeVar("Item")

PAGE_SIZE = 50
MAX_PAGE_SIZE = 1_000
CALL_SUBRESOURCES = {
    "notifications": "Notifications",
    "recordings": "Recordings",
    "payments": "Payments",
    "events": "Events",
    "siprec": "Siprec",
    "streams": "Streams",
    "transcriptions": "Transcriptions",
    "user_defined_message_subscriptions": "UserDefinedMessageSubscriptions",
    "user_defined_messages": "UserDefinedMessages",
}


class RestError(Exception):
    """A refusal in Twilio's shape: HTTP status, Twilio's code, text."""

    def __init__(self, status: int, code: int, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message


class AnswerCut(Exception):
    """The connection is to be cut without an answer; what was asked has been done or will be."""


def json_response(body: Any, status: int = 200) -> Response:
    response = Response(json.dumps(body), status=status, content_type="application/json; charset=utf-8")
    response.headers["Twilio-Request-Id"] = f"RQ{uuid.uuid4().hex}"
    return response


def deleted_response() -> Response:
    """204, without a body."""
    response = json_response(None, 204)
    response.set_data(b"")
    return response


def error_response(error: RestError) -> Response:
    body = {
        "code": error.code,
        "message": error.message,
        "more_info": f"https://www.twilio.com/docs/errors/{error.code}",
        "status": error.status,
    }
    response = json_response(body, error.status)
    if error.status == 401:
        response.headers["WWW-Authenticate"] = 'Basic realm="Twilio API"'
    return response


def account_path(account_sid: str) -> str:
    return f"/{API_VERSION}/Accounts/{account_sid}"


def _moment(moment: datetime | None) -> str | None:
    return rfc2822(moment) if moment else None


def _formatted(address: str) -> str:
    us = re.fullmatch(r"\+1(\d{3})(\d{3})(\d{4})", address)
    return f"({us[1]}) {us[2]}-{us[3]}" if us else address


def call_json(call: Call, account_sid: str, now: datetime) -> dict[str, Any]:
    path = f"{account_path(account_sid)}/Calls/{call.sid}"
    owned = call.order.caller.startswith("+")
    digest = hashlib.sha256(call.order.caller.encode()).hexdigest()[:32]
    return {
        "sid": call.sid,
        "date_created": rfc2822(call.created_at),
        "date_updated": rfc2822(call.updated_at),
        "parent_call_sid": None,
        "account_sid": account_sid,
        "to": call.order.to,
        "to_formatted": _formatted(call.order.to),
        "from": call.order.caller,
        "from_formatted": _formatted(call.order.caller),
        "phone_number_sid": f"PN{digest}" if owned else None,
        "status": call.status.value,
        "start_time": _moment(call.answered_at or call.dialed_at),
        "end_time": _moment(call.ended_at),
        "duration": None if call.is_live else str(whole_seconds(call, now)),
        "price": None,
        "price_unit": "USD",
        "direction": call.order.direction,
        "answered_by": call.answered_by,
        "api_version": API_VERSION,
        "forwarded_from": None,
        "group_sid": None,
        "caller_name": None,
        "queue_time": str(call.queue_ms),
        "trunk_sid": None,
        "uri": f"{path}.json",
        "subresource_uris": {name: f"{path}/{part}.json" for name, part in CALL_SUBRESOURCES.items()},
    }


def conference_json(room: Conference, account_sid: str) -> dict[str, Any]:
    path = f"{account_path(account_sid)}/Conferences/{room.sid}"
    return {
        "account_sid": account_sid,
        "date_created": rfc2822(room.created_at),
        "date_updated": rfc2822(room.updated_at),
        "api_version": API_VERSION,
        "friendly_name": room.name,
        "region": "us1",
        "sid": room.sid,
        "status": room.status,
        "uri": f"{path}.json",
        "subresource_uris": {
            "participants": f"{path}/Participants.json",
            "recordings": f"{path}/Recordings.json",
        },
        "reason_conference_ended": room.reason_ended,
        "call_sid_ending_conference": room.ended_by_call,
    }


def participant_json(
    person: Participant, room: Conference, account_sid: str, status: CallStatus
) -> dict[str, Any]:
    """`status`: of the call behind; who is being dialed in is listed too."""
    shown = {CallStatus.IN_PROGRESS: "connected", CallStatus.QUEUED: "queued", CallStatus.RINGING: "ringing"}
    return {
        "account_sid": account_sid,
        "call_sid": person.call_sid,
        "label": person.label,
        "call_sid_to_coach": person.call_sid_to_coach,
        "coaching": person.coaching,
        "conference_sid": room.sid,
        "date_created": rfc2822(person.joined_at),
        "date_updated": rfc2822(person.updated_at),
        "end_conference_on_exit": person.end_on_exit,
        "muted": person.muted,
        "hold": person.hold,
        "start_conference_on_enter": person.start_on_enter,
        "status": shown.get(status, "complete"),
        "queue_time": None,
        "uri": f"{account_path(account_sid)}/Conferences/{room.sid}/Participants/{person.call_sid}.json",
    }


def created_event_json(call: Call, account_sid: str) -> dict[str, Any]:
    """The request that made the call, with the parameters as they came."""
    parameters: dict[str, Any] = {"account_sid": account_sid}
    for name, value in call.order.asked:
        known = _snake(name)
        parameters[known] = f"{parameters[known]} {value}" if known in parameters else value
    return {
        "request": {
            "method": "POST",
            "url": f"https://api.twilio.com{account_path(account_sid)}/Calls.json",
            "parameters": parameters,
        },
        "response": {
            "response_code": 201,
            "request_duration": 0,
            "content_type": "application/json",
            "response_body": json.dumps({"sid": call.sid}),
            "date_created": rfc2822(call.created_at),
        },
    }


def delivery_event_json(call: Call, delivery: Delivery) -> dict[str, Any]:
    """One webhook of the call."""
    return {
        "request": {
            "method": delivery.method,
            "url": delivery.url,
            "parameters": {"call_sid": call.sid, "call_status": delivery.what},
        },
        "response": {
            "response_code": delivery.status,
            "request_duration": delivery.ms,
            "content_type": None,
            "response_body": None,
            "date_created": rfc2822(delivery.at),
        },
    }


def _snake(name: str) -> str:
    return re.sub(r"(?<!^)(?=[A-Z])", "_", name).lower()


def recording_json(
    recording: Recording, account_sid: str, duration_s: int, place: str, media_url: str
) -> dict[str, Any]:
    """`place` is the list it was asked for in: "" for the account's own, else `/Calls/CA...` or the like."""
    path = f"{account_path(account_sid)}{place}/Recordings/{recording.sid}"
    shown: dict[str, Any] = {
        "account_sid": account_sid,
        "api_version": API_VERSION,
        "call_sid": recording.call_sid,
        "conference_sid": recording.conference_sid,
        "date_created": rfc2822(recording.created_at),
        "date_updated": rfc2822(recording.updated_at),
        "start_time": rfc2822(recording.created_at),
        "duration": None if recording.is_running else str(duration_s),
        "sid": recording.sid,
        "price": None,
        "price_unit": "USD",
        "status": recording.status,
        "channels": recording.order.channels,
        "source": recording.order.source,
        "error_code": recording.error_code,
        "encryption_details": None,
        "uri": f"{path}.json",
    }
    if place.startswith("/Calls"):
        shown["track"] = "both"
    if not place:
        parts = ("add_on_results", "AddOnResults"), ("transcriptions", "Transcriptions")
        shown["subresource_uris"] = {name: f"{path}/{part}.json" for name, part in parts}
        shown["media_url"] = media_url
    return shown


def application_json(application: VoiceApplication, account_sid: str) -> dict[str, Any]:
    """The TwiML application; it has no messages."""
    return {
        "account_sid": account_sid,
        "api_version": API_VERSION,
        "date_created": rfc2822(application.created_at),
        "date_updated": rfc2822(application.updated_at),
        "friendly_name": application.friendly_name,
        "message_status_callback": None,
        "sid": application.sid,
        "sms_fallback_method": "POST",
        "sms_fallback_url": None,
        "sms_method": "POST",
        "sms_status_callback": None,
        "sms_url": None,
        "status_callback": application.status_callback,
        "status_callback_method": application.status_callback_method,
        "uri": f"{account_path(account_sid)}/Applications/{application.sid}.json",
        "voice_caller_id_lookup": False,
        "voice_fallback_method": application.voice_fallback_method,
        "voice_fallback_url": application.voice_fallback_url,
        "voice_method": application.voice_method,
        "voice_url": application.voice_url,
        "public_application_connect_enabled": False,
    }


def page_response(
    request: Request,
    name: str,
    items: Sequence[Item],
    sid: Callable[[Item], str],
    shape: Callable[[Item], Any],
) -> Response:
    """One page. The token names the last item of the page before, so new items do not shift pages."""
    size = min(max(_whole(request.args.get("PageSize"), PAGE_SIZE), 1), MAX_PAGE_SIZE)
    page = _whole(request.args.get("Page"), 0)
    token = request.args.get("PageToken", "").removeprefix("PA")
    start = page * size
    if token:
        start = next((place + 1 for place, item in enumerate(items) if sid(item) == token), len(items))
    shown = items[start : start + size]
    filters = [
        pair for pair in request.args.items(multi=True) if pair[0] not in ("PageSize", "Page", "PageToken")
    ]

    def uri(number: int, after: str = "") -> str:
        query = [*filters, ("PageSize", str(size)), ("Page", str(number))]
        if after:
            query.append(("PageToken", f"PA{after}"))
        return f"{quote(request.path)}?{urlencode(query)}"

    has_more = start + size < len(items)
    return json_response(
        {
            name: [shape(item) for item in shown],
            "page": page,
            "page_size": size,
            "start": start,
            "end": start + max(len(shown) - 1, 0),
            "uri": uri(page, token),
            "first_page_uri": uri(0),
            "next_page_uri": uri(page + 1, sid(shown[-1])) if has_more else None,
            "previous_page_uri": uri(page - 1) if page > 0 else None,
        }
    )


def _whole(text: str | None, default: int) -> int:
    return int(text) if text and text.isdigit() and len(text) < 7 else default
