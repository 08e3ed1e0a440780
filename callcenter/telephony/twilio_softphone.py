"""What a browser needs to be an agent's telephone at Twilio."""

from datetime import datetime, timedelta
from uuid import UUID

from twilio.jwt.access_token import AccessToken
from twilio.jwt.access_token.grants import VoiceGrant

from callcenter.domain.ports import SoftphoneCredentials
from callcenter.errors import ConfigError
from callcenter.telephony.twilio_line import TwilioAccount

LONGEST = timedelta(hours=24)
"""Twilio takes no token that lives longer."""


def identity_of(agent_id: UUID) -> str:
    """The name an agent's softphone is called by, as `client:` and this. Letters, digits and `_` only."""
    return f"agent_{agent_id.hex}"


def credentials(
    account: TwilioAccount, agent_id: UUID, ttl: timedelta, now: datetime
) -> SoftphoneCredentials:
    """Sign a token that lets a browser receive calls, and place them where an application is set, for `ttl`.

    `ttl` beyond a day is cut to a day. Raises ConfigError when there is no API key: the auth token signs
    callbacks, and a browser's token must be signed by a key of its own.
    """
    if not account.api_key_sid or not account.api_key_secret:
        raise ConfigError("set TWILIO_API_KEY_SID and TWILIO_API_KEY_SECRET to let browsers be telephones")
    expires_at = now + min(ttl, LONGEST)
    token = AccessToken(
        account.account_sid,
        account.api_key_sid,
        account.api_key_secret,
        grants=[VoiceGrant(incoming_allow=True, outgoing_application_sid=account.app_sid)],
        identity=identity_of(agent_id),
        nbf=int(now.timestamp()),
        valid_until=int(expires_at.timestamp()),
    )
    return SoftphoneCredentials(str(token.to_jwt()), identity_of(agent_id), expires_at)
