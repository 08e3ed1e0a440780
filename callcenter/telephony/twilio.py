"""The carrier port on Twilio: one request per wish, every odd answer called unknown.

The same code runs against the real service and, with `base_url` set, against the simulator.
"""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlsplit, urlunsplit
from uuid import UUID

import requests
from twilio.base.exceptions import TwilioException, TwilioRestException
from twilio.http.http_client import TwilioHttpClient
from twilio.request_validator import RequestValidator
from twilio.rest import Client
from twilio.twiml.voice_response import Dial, VoiceResponse
from werkzeug.datastructures import MultiDict

from callcenter.domain.enums import AttemptState, CallResult
from callcenter.domain.ports import (
    Answer,
    CallbackRequest,
    CallSnapshot,
    CarrierEvent,
    JoinRoom,
    NotProcessed,
    Placed,
    Placement,
    Rejected,
    SayAndHangUp,
    Unknown,
)
from callcenter.telephony.refusals import refusal_of

TIMEOUT_SECONDS = 10
STATUS_EVENTS = ["initiated", "ringing", "answered", "completed"]
RETRY_FRAGMENT = "#rc=3&rp=ct,rt,5xx"
"""Asks Twilio to deliver a callback again when we were away; its default is one try."""
_RATE_WAIT = timedelta(seconds=2)
_AGENT_RING = timedelta(seconds=30)
_AGENT_DAY = timedelta(hours=4)
"""Twilio ends any call after four hours unless the account is set otherwise; the next dial connects anew."""
_STATES: dict[str, tuple[AttemptState, CallResult | None]] = {
    "queued": (AttemptState.PLACED, None),
    "initiated": (AttemptState.INITIATED, None),
    "ringing": (AttemptState.RINGING, None),
    "in-progress": (AttemptState.ANSWERED, None),
    "answered": (AttemptState.ANSWERED, None),
    "completed": (AttemptState.ENDED, CallResult.COMPLETED),
    "busy": (AttemptState.ENDED, CallResult.BUSY),
    "no-answer": (AttemptState.ENDED, CallResult.NO_ANSWER),
    "failed": (AttemptState.ENDED, CallResult.FAILED),
    "canceled": (AttemptState.ENDED, CallResult.CANCELED),
}


class RedirectingHttpClient(TwilioHttpClient):  # type: ignore[misc]
    """Sends the SDK's requests to another base address; refuses any host that is not Twilio's."""

    def __init__(self, base_url: str, timeout_seconds: float) -> None:
        super().__init__(timeout=timeout_seconds)
        self._base = urlsplit(base_url)

    def request(self, method: str, url: str, *args: Any, **kwargs: Any) -> Any:
        """Send one request of the SDK to the base address instead."""
        parts = urlsplit(url)
        if not (parts.hostname or "").endswith(".twilio.com"):
            raise TwilioException(f"will not send a request to {parts.hostname}")
        moved = urlunsplit((self._base.scheme, self._base.netloc, parts.path, parts.query, ""))
        return super().request(method, moved, *args, **kwargs)


@dataclass(frozen=True, kw_only=True)
class TwilioAccount:
    """What the adapter must know: the account, the number shown, and where callbacks reach us."""

    account_sid: str
    auth_token: str
    caller_id: str
    public_base_url: str
    base_url: str | None = None
    timeout_seconds: float = TIMEOUT_SECONDS
    """How long one request may take; None would be for ever, the SDK's own default."""


class TwilioCarrier:
    """`domain.ports.Carrier` on Twilio's voice API."""

    def __init__(self, account: TwilioAccount) -> None:
        http = (
            RedirectingHttpClient(account.base_url, account.timeout_seconds)
            if account.base_url
            else TwilioHttpClient(timeout=account.timeout_seconds)
        )
        self._account = account
        self._client = Client(account.account_sid, account.auth_token, http_client=http)
        self._validator = RequestValidator(account.auth_token)

    def place(self, attempt_id: UUID, to: str, ring_timeout: timedelta, max_duration: timedelta) -> Placement:
        """Ask once for a call. Only a provable "not made" is not unknown; nothing is ever asked twice."""
        return self._create(to, "attempt", attempt_id, ring_timeout, max_duration)

    def place_agent(self, agent_id: UUID, address: str) -> Placement:
        """Ask once for the call that brings an agent into their room, for a working day at the most."""
        return self._create(address, "agent", agent_id, _AGENT_RING, _AGENT_DAY)

    def _create(self, to: str, kind: str, subject: UUID, ring: timedelta, longest: timedelta) -> Placement:
        urls = f"{self._account.public_base_url}/carrier/twilio/{kind}/{subject}"
        try:
            call = self._client.calls.create(
                to=to,
                from_=self._account.caller_id,
                url=f"{urls}/answer",
                method="POST",
                fallback_url=f"{urls}/answer",
                status_callback=f"{urls}/status{RETRY_FRAGMENT}",
                status_callback_method="POST",
                status_callback_event=STATUS_EVENTS,
                timeout=int(ring.total_seconds()),
                time_limit=int(longest.total_seconds()),
            )
        except TwilioRestException as error:
            return _refused(error)
        except requests.ConnectionError as error:
            if _never_connected(error):
                return NotProcessed(_RATE_WAIT)
            return Unknown("connection_cut")
        except (TwilioException, requests.RequestException, json.JSONDecodeError) as error:
            return Unknown(type(error).__name__)
        if not call.sid:
            return Unknown("answer_without_sid")
        queue_ms = str(call.queue_time or "0")
        return Placed(str(call.sid), timedelta(milliseconds=int(queue_ms) if queue_ms.isdigit() else 0))

    def hang_up(self, ref: str) -> bool:
        """End a call whatever its state; one that has ended already is fine."""
        try:
            self._client.calls(ref).update(status="completed")
        except TwilioRestException as error:
            return error.code in (21220, 20404)
        except (TwilioException, requests.RequestException, json.JSONDecodeError):
            return False
        return True

    def lookup(self, ref: str) -> CallSnapshot | None:
        """Ask what became of a call; None when Twilio could not be asked. May lag behind callbacks."""
        try:
            return _snapshot(self._client.calls(ref).fetch())
        except TwilioRestException as error:
            if error.status == 404:
                return CallSnapshot(ref, AttemptState.ENDED, CallResult.FAILED, "", None)
            return None
        except (TwilioException, requests.RequestException, json.JSONDecodeError):
            return None

    def find(self, to: str, since: datetime) -> Sequence[CallSnapshot] | None:
        """List the calls to a number created since then; None when Twilio could not be asked.

        The creation time has a resolution of a second, hence the margin of two.
        """
        try:
            calls = self._client.calls.list(to=to, from_=self._account.caller_id, limit=50)
        except (TwilioException, requests.RequestException, json.JSONDecodeError):
            return None
        found = [_snapshot(call) for call in calls]
        earliest = since - timedelta(seconds=2)
        return [one for one in found if one.created_at is None or one.created_at >= earliest]

    def verify(self, request: CallbackRequest) -> bool:
        """Check the signature over our public address, the raw target and every form field as sent."""
        headers = {name.lower(): value for name, value in request.headers.items()}
        signature = headers.get("x-twilio-signature", "")
        if not signature:
            return False
        url = self._account.public_base_url + request.target
        return bool(self._validator.validate(url, MultiDict(request.form), signature))

    def parse(self, request: CallbackRequest) -> CarrierEvent | None:
        """Read a status callback; parameters we do not know are kept and never an error."""
        form = dict(request.form)
        ref, status = form.get("CallSid", ""), form.get("CallStatus", "")
        if not ref or status not in _STATES:
            return None
        state, result = _STATES[status]
        key = hashlib.sha256(f"{ref}|{status}|{form.get('SequenceNumber', '')}".encode()).hexdigest()
        kept = {name: value for name, value in form.items() if name not in _PERSONAL}
        return CarrierEvent(
            ref=ref,
            key=key,
            state=state,
            result=result,
            talk_seconds=_whole(form.get("CallDuration")),
            answered_by=form.get("AnsweredBy"),
            raw=kept,
        )

    def answer(self, decision: Answer) -> str:
        """Render a decision as TwiML. The room outlives every leg: our server decides what a leave means."""
        response = VoiceResponse()
        if isinstance(decision, JoinRoom):
            dial = Dial()
            dial.conference(
                decision.room,
                start_conference_on_enter=True,
                end_conference_on_exit=False,
                beep=False,
                wait_url="",
            )
            response.append(dial)
        elif isinstance(decision, SayAndHangUp):
            response.say(decision.message, language=decision.language)
            response.hangup()
        else:
            response.hangup()
        return str(response)


_PERSONAL = frozenset(
    ["To", "From", "Called", "Caller", "ToCity", "FromCity", "CalledCity", "CallerCity", "CallerName"]
)
"""Callback parameters that name people's numbers or places; the attempt knows its number already."""


def _whole(value: str | None) -> int | None:
    return int(value) if value and value.isascii() and value.isdigit() else None


def _refused(error: TwilioRestException) -> Placement:
    if error.status == 429:
        return NotProcessed(_RATE_WAIT)
    if error.status >= 500:
        return Unknown(f"http_{error.status}")
    return Rejected(refusal_of(error.code), str(error.code or error.status))


def _never_connected(error: requests.ConnectionError) -> bool:
    """Whether no connection was ever made: refused or not resolved, so that nothing can have been sent."""
    reason = getattr(error.args[0], "reason", None) if error.args else None
    return type(reason).__name__ in ("NewConnectionError", "NameResolutionError", "ConnectTimeoutError")


def _snapshot(call: Any) -> CallSnapshot:
    state, result = _STATES.get(str(call.status), (AttemptState.PLACED, None))
    created = call.date_created
    if isinstance(created, datetime) and created.tzinfo is None:
        created = created.replace(tzinfo=UTC)
    return CallSnapshot(str(call.sid), state, result, str(call.to), created, _whole(str(call.duration or "")))
