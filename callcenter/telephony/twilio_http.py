"""The wire to Twilio: one HTTP request per wish, never a second, and what each kind of failure proves.

Everything that can go wrong on the wire becomes one of three answers: Twilio refused (`Refused`), Twilio
provably did nothing (`NotProcessed`), or nobody can tell (`Unknown`).
"""

import json
import ssl
import time
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from dataclasses import dataclass
from datetime import timedelta
from email.utils import parsedate_to_datetime
from typing import Any, TypeVar
from urllib.parse import urlsplit, urlunsplit

import requests
import urllib3
from twilio.base.exceptions import TwilioException
from twilio.http.http_client import TwilioHttpClient

from callcenter.domain.ports import NotProcessed, Unknown

T = TypeVar("T")

RATE_WAIT = timedelta(seconds=2)
"""How long to wait after "too many requests" when Twilio does not say."""
LONGEST_WAIT = timedelta(minutes=1)
MEDIA_SECONDS = 60
MEDIA_BYTES = 240 * 1024 * 1024
"""More than two hours of sound in the form Twilio keeps it: 8 kHz, 16 bit, two channels."""
_LOOPBACK = ("127.0.0.1", "localhost", "::1")
_RATE_CODE = 20429
_CHUNK_BYTES = 256 * 1024


@dataclass(frozen=True, slots=True)
class Refused:
    """Twilio answered and said no: its HTTP status (4xx) and error code; the code is the status if it has none."""

    status: int
    code: int


Failure = Refused | NotProcessed | Unknown


class CarrierSaidNo(Exception):
    """Twilio answered with another status than success. `retry_after` is its own wish, within bounds."""

    def __init__(self, status: int, code: int | None, retry_after: timedelta = RATE_WAIT) -> None:
        super().__init__(f"HTTP {status}, code {code}")
        self.status = status
        self.code = code
        self.retry_after = retry_after


class TwilioWire(TwilioHttpClient):  # type: ignore[misc]
    """The SDK's HTTP client with three differences.

    It may send to another base address (the simulator, a proxy); it refuses any host that is not Twilio's;
    it raises `CarrierSaidNo` for every answer that is no success, so that no part of the SDK guesses.
    It logs nothing: the SDK would write customers' numbers into the log.
    """

    def __init__(self, base_url: str | None, timeout_seconds: float) -> None:
        super().__init__(timeout=timeout_seconds)
        self._base = urlsplit(base_url) if base_url else None
        if self._base and self._base.hostname in _LOOPBACK:
            self.session.trust_env = False  # a proxy of this machine's does not lead back to this machine

    def request(self, method: str, url: str, *args: Any, **kwargs: Any) -> Any:
        """Send one request. Raises CarrierSaidNo, TwilioException for a strange host, requests' own errors."""
        response = super().request(method, self._address(url), *args, **kwargs)
        if not 200 <= response.status_code < 300:
            raise _no(response.status_code, response.text, response.headers or {})
        return response

    def media(self, url: str, auth: tuple[str, str]) -> bytes:
        """Fetch a sound file, at most MEDIA_BYTES in about MEDIA_SECONDS.

        Raises what `request` raises, and ValueError when it is too large, too slow or no WAV file.
        """
        end = time.monotonic() + MEDIA_SECONDS
        asked = self.session.get(
            self._address(url), auth=auth, stream=True, timeout=self.timeout, allow_redirects=False
        )
        with closing(asked) as response:
            if response.status_code != 200:
                raise CarrierSaidNo(response.status_code, None)
            sound = b"".join(_within(response.iter_content(_CHUNK_BYTES), end))
        if sound[:4] != b"RIFF" or sound[8:12] != b"WAVE":
            raise ValueError("not a WAV file")
        return sound

    def _address(self, url: str) -> str:
        parts = urlsplit(url)
        if not (parts.hostname or "").endswith(".twilio.com"):
            raise TwilioException(f"will not send a request to {parts.hostname}")
        if self._base is None:
            return url
        return urlunsplit((self._base.scheme, self._base.netloc, parts.path, parts.query, ""))

    def log_request(self, _kwargs: Any) -> None:
        """Say nothing; the address of a search holds a customer's number."""

    def log_response(self, _status_code: int, _response: Any) -> None:
        """Say nothing."""


def ask(request: Callable[[], T]) -> T | Failure:
    """Run one request of the SDK and return its result, or what its failure proves.

    Whatever comes back odd is unknown: an answer that cannot be read says nothing of what was done.
    """
    try:
        return request()
    except CarrierSaidNo as no:
        return _proved(no)
    except requests.ConnectionError as error:
        return NotProcessed(RATE_WAIT) if _never_connected(error) else Unknown(_name(error))
    except TwilioException as error:
        said = _said(error)
        return _proved(said) if said else Unknown(type(error).__name__)
    except (requests.RequestException, urllib3.exceptions.HTTPError, OSError) as error:
        return Unknown(type(error).__name__)
    except (ValueError, TypeError, KeyError, AttributeError) as error:  # an answer unlike any Twilio gives
        return Unknown(type(error).__name__)


def _proved(no: CarrierSaidNo) -> Failure:
    """Twilio documents "too many requests" alone as never processed; a server's timeout proves nothing."""
    if no.status == 429 or no.code == _RATE_CODE:
        return NotProcessed(no.retry_after)
    if 400 <= no.status < 500 and no.status != 408:
        return Refused(no.status, no.code or no.status)
    return Unknown(f"http_{no.status}")


def _said(error: TwilioException) -> CarrierSaidNo | None:
    """What an exception of the SDK tells of Twilio's answer; there are three kinds, one without a status."""
    status, code = getattr(error, "status", None), getattr(error, "code", None)
    if status is None and len(error.args) > 1:
        status = getattr(error.args[1], "status_code", None)
    return CarrierSaidNo(status, code if isinstance(code, int) else None) if isinstance(status, int) else None


def _no(status: int, text: str, headers: Any) -> CarrierSaidNo:
    code: Any = None
    with suppress(ValueError, AttributeError):  # a proxy's page, or no text at all: the status says enough
        code = json.loads(text).get("code")
    number = int(code) if isinstance(code, int) or (isinstance(code, str) and code.isdecimal()) else None
    return CarrierSaidNo(status, number, _retry_after(headers))


def _retry_after(headers: Any) -> timedelta:
    """Seconds, or a date compared with the answer's own `Date`; from one second to LONGEST_WAIT."""
    asked = str(headers.get("Retry-After") or "").strip()
    if asked.isascii() and asked.isdigit():
        wait = timedelta(seconds=min(int(asked), LONGEST_WAIT.total_seconds()))
    else:
        try:
            wait = parsedate_to_datetime(asked) - parsedate_to_datetime(str(headers.get("Date")))
        except (ValueError, TypeError):
            return RATE_WAIT
    return min(max(wait, timedelta(seconds=1)), LONGEST_WAIT)


def _name(error: requests.ConnectionError) -> str:
    return "connection_cut" if type(error) is requests.ConnectionError else type(error).__name__


def _never_connected(error: requests.ConnectionError) -> bool:
    """Whether no connection was ever made, so that nothing can have been sent: refused, not resolved, not
    answered in time, no way through the proxy, or a certificate that was not believed."""
    reason = getattr(error.args[0], "reason", None) if error.args else None
    if isinstance(reason, urllib3.exceptions.ProxyError):
        reason = reason.original_error
        if "Tunnel connection failed" in str(reason):
            return True
    if isinstance(reason, urllib3.exceptions.SSLError):
        return bool(reason.args) and isinstance(reason.args[0], ssl.SSLCertVerificationError)
    return isinstance(reason, urllib3.exceptions.NewConnectionError | urllib3.exceptions.ConnectTimeoutError)


def _within(chunks: Iterator[bytes], end: float) -> Iterator[bytes]:
    size = 0
    for chunk in chunks:
        size += len(chunk)
        if size > MEDIA_BYTES or time.monotonic() > end:
            raise ValueError("the recording is too large or comes too slowly")
        yield chunk
