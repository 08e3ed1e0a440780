"""Sign a webhook as Twilio does: HMAC over the full URL followed by the sorted POST names and values.

Source: Twilio's "Validating requests" documentation; the published example is a test vector here.
"""

import base64
import hashlib
import hmac
from collections.abc import Iterable

SHARED_KEY = "webhooks_sharedkey_simulator"


def signature_headers(
    url: str, params: Iterable[tuple[str, str]], token: str, algorithm: str = "sha1"
) -> dict[str, str]:
    """The headers that vouch for a request to `url` (without fragment) with these POST parameters."""
    text = url + "".join(name + value for name, value in sorted(set(params)))
    digest = hmac.new(
        token.encode(), text.encode(), hashlib.sha256 if algorithm == "sha256" else hashlib.sha1
    )
    headers = {"X-Twilio-Signature": base64.b64encode(digest.digest()).decode()}
    if algorithm == "sha256":
        headers["X-Twilio-Webhooks-Signature-Settings"] = f"key={SHARED_KEY},algorithm=HMAC_SHA256"
    return headers
