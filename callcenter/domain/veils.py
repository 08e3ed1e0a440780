"""What stands in the place of something erased that rows must still tell apart: a token nobody can read back."""

import hashlib
import hmac

ERASED = "erased"
_MARK = "erased:"
_BYTES = 16


def veil(key: bytes, text: str) -> str:
    """Return the token for a number or key that is erased: the same for the same, under the house's number key.

    For a number it shows its name in the suppression ledger, so that what is kept of its calls and what bars it
    can still be laid side by side. What is a token already stays as it is; empty stays empty.
    """
    if not text or text.startswith(_MARK):
        return text
    return _MARK + hmac.digest(key, text.encode(), hashlib.sha256)[:_BYTES].hex()
