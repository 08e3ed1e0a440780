"""The carrier port on Twilio: one request per wish, every odd answer called unknown.

The same code runs against the real service and, with `base_url` set, against the simulator. Calls are in
twilio_calls.py, rooms in twilio_rooms.py, callbacks in twilio_callbacks.py, the wire in twilio_http.py.
"""

import re
from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

from callcenter.domain.ports import (
    Answer,
    CallbackNews,
    CallbackRequest,
    Capability,
    SoftphoneCredentials,
)
from callcenter.telephony import twilio_softphone
from callcenter.telephony.twilio_answers import rendered
from callcenter.telephony.twilio_callbacks import is_signed, news_in
from callcenter.telephony.twilio_calls import TwilioCalls
from callcenter.telephony.twilio_http import Failure, ask
from callcenter.telephony.twilio_line import TwilioAccount, account_from
from callcenter.telephony.twilio_rooms import TwilioRooms

__all__ = ["TwilioAccount", "TwilioCarrier", "account_from"]

_RECORDING = re.compile(r"RE[0-9a-fA-F]{32}")
_ALWAYS = frozenset(
    {
        Capability.AMD_ASYNC,
        Capability.COACH,
        Capability.FIND_BY_NUMBER,
        Capability.HOLD,
        Capability.RECORDING,
    }
)


class TwilioCarrier(TwilioCalls, TwilioRooms):
    """`domain.ports.Carrier` on Twilio's voice API."""

    def recording(self, ref: str) -> bytes | None:
        """Fetch a recording's sound, whole, in memory; None when it is not there, too large or not to be had.

        Bounds: twilio_http.MEDIA_BYTES and MEDIA_SECONDS.
        """
        if not _RECORDING.fullmatch(ref):
            return None
        sid, token = self._account.account_sid, self._account.auth_token
        url = f"https://api.twilio.com/2010-04-01/Accounts/{sid}/Recordings/{ref}.wav"
        sound = ask(lambda: self._wire.media(url, (sid, token)))
        return None if isinstance(sound, Failure) else sound

    def softphone_credentials(self, agent_id: UUID, ttl: timedelta, now: datetime) -> SoftphoneCredentials:
        """Let an agent's browser be their telephone for `ttl`. Raises ConfigError without an API key."""
        return twilio_softphone.credentials(self._account, agent_id, ttl, now)

    def verify(self, request: CallbackRequest) -> bool:
        """Whether Twilio signed this request for our public address."""
        return is_signed(self._account, request)

    def parse(self, request: CallbackRequest) -> Sequence[CallbackNews]:
        """Read a callback; nothing when it carries nothing we know."""
        return news_in(request)

    def answer(self, decision: Answer) -> str:
        """Put a decision into TwiML."""
        return rendered(decision, self._urls)

    def capabilities(self) -> frozenset[Capability]:
        """Everything, and softphones where an API key is set."""
        has_key = self._account.api_key_sid and self._account.api_key_secret
        return _ALWAYS | {Capability.SOFTPHONE} if has_key else _ALWAYS
