"""One account's line to Twilio: who we are there, the SDK's client, and the addresses Twilio calls back."""

from dataclasses import dataclass, field
from urllib.parse import quote
from uuid import UUID

from twilio.rest import Client

from callcenter.config import (
    SIMULATOR_API_KEY_SECRET,
    SIMULATOR_API_KEY_SID,
    Settings,
)
from callcenter.telephony.twilio_http import TwilioWire

TIMEOUT_SECONDS = 10
RETRY_FRAGMENT = "#rc=3&rp=ct,rt,5xx"
"""Asks Twilio to deliver a callback again when we were away; its default is one try. Neither sent nor signed."""
_PATH = "/carrier/twilio"


@dataclass(frozen=True, kw_only=True)
class TwilioAccount:
    """What the adapter must know: the account, the number shown, where callbacks reach us, the softphone's key."""

    account_sid: str
    auth_token: str = field(repr=False)
    caller_id: str
    public_base_url: str
    base_url: str | None = None
    timeout_seconds: float = TIMEOUT_SECONDS
    """How long one request may take; None would be for ever, the SDK's own default."""
    api_key_sid: str | None = None
    api_key_secret: str | None = field(default=None, repr=False)
    app_sid: str | None = None
    """The application that browsers' outgoing calls are handed to; without it softphones only receive."""
    shared_key_secret: str | None = field(default=None, repr=False)
    """Signs callbacks whose signature names HMAC_SHA256; the auth token does when there is none."""


def account_from(settings: Settings) -> TwilioAccount:
    """Put together what the adapter needs from the settings, for Twilio as for the simulator."""
    is_simulated = settings.carrier == "simulator"
    base = settings.carrier_base_url
    if is_simulated:
        base = base or f"http://127.0.0.1:{settings.carrier_sim_port}"
    key_sid, key_secret = settings.twilio_api_key_sid, settings.twilio_api_key_secret
    if is_simulated and not key_sid:
        key_sid, key_secret = SIMULATOR_API_KEY_SID, SIMULATOR_API_KEY_SECRET
    return TwilioAccount(
        account_sid=settings.twilio_account_sid,
        auth_token=settings.twilio_auth_token,
        caller_id=settings.caller_id,
        public_base_url=settings.public_base_url,
        base_url=base,
        api_key_sid=key_sid,
        api_key_secret=key_secret,
        app_sid=settings.twilio_app_sid,
        shared_key_secret=settings.twilio_shared_key_secret,
    )


class CallbackUrls:
    """The addresses Twilio asks and tells, all below one path of our public address. Nothing personal in them."""

    def __init__(self, public_base_url: str) -> None:
        self._base = public_base_url + _PATH

    def answer(self, kind: str, subject: UUID) -> str:
        """Where a leg that was answered asks what to do. `kind` is attempt, agent or watch."""
        return f"{self._base}/{kind}/{subject}/answer{RETRY_FRAGMENT}"

    def fallback(self, kind: str, subject: UUID) -> str:
        """Where it asks when that failed: the same question, once more."""
        return f"{self._base}/{kind}/{subject}/answer"

    def status(self, kind: str, subject: UUID) -> str:
        """Where Twilio tells how far a leg has come."""
        return f"{self._base}/{kind}/{subject}/status{RETRY_FRAGMENT}"

    def machine(self, attempt_id: UUID) -> str:
        """Where Twilio tells what answering-machine detection heard."""
        return f"{self._base}/attempt/{attempt_id}/amd{RETRY_FRAGMENT}"

    def recording(self, attempt_id: UUID) -> str:
        """Where Twilio tells where the recording of a customer's call is."""
        return f"{self._base}/attempt/{attempt_id}/recording{RETRY_FRAGMENT}"

    def room_events(self, agent_id: UUID) -> str:
        """Where Twilio tells what happens in an agent's room."""
        return f"{self._base}/room/{agent_id}/events{RETRY_FRAGMENT}"

    def hold(self, language: str) -> str:
        """Where Twilio asks what somebody on hold hears."""
        return f"{self._base}/hold/{quote(language, safe='')}{RETRY_FRAGMENT}"


class TwilioLine:
    """What every part of the adapter shares."""

    def __init__(self, account: TwilioAccount) -> None:
        self._account = account
        self._wire = TwilioWire(account.base_url, account.timeout_seconds)
        self._client = Client(account.account_sid, account.auth_token, http_client=self._wire)
        self._urls = CallbackUrls(account.public_base_url)
