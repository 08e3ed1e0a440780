"""One request to one endpoint: to an address that was checked, with an end to it, no redirect followed."""

import http.client
import socket
import ssl
import threading
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass

from callcenter.errors import BadInput
from callcenter.webhooks.policy import ANSWER_SECONDS, CONNECT_SECONDS, KEPT_LETTERS
from callcenter.webhooks.rules import Target, all_may_be_asked, read_url


@dataclass(frozen=True, slots=True)
class Heard:
    """What an endpoint answered. `status` is None when it did not; then `error` is a code."""

    status: int | None
    error: str | None = None
    response: str | None = None

    @property
    def is_taken(self) -> bool:
        """Whether it said that it has it: 2xx."""
        return self.status is not None and 200 <= self.status < 300


def send(
    url: str,
    headers: Mapping[str, str],
    body: bytes,
    *,
    allows_loopback: bool,
    seconds: float = ANSWER_SECONDS,
) -> Heard:
    """POST a body and return what was heard; never raises for what the other side does.

    The host is resolved here, its addresses are checked, and the one that was checked is asked: a name that
    points elsewhere a moment later changes nothing. A redirect is an answer like any other, and none we want.
    """
    try:
        target = read_url(url, allows_loopback=allows_loopback)
        address = _checked_address(target, allows_loopback=allows_loopback)
    except BadInput:
        return Heard(None, "address_not_allowed")
    except OSError:
        return Heard(None, "unknown_host")
    if address is None:
        return Heard(None, "address_not_allowed")
    try:
        return _ask(target, address, headers, body, seconds)
    except TimeoutError:
        return Heard(None, "timeout")
    except ssl.SSLError:
        return Heard(None, "tls")
    except (OSError, http.client.HTTPException, ValueError) as error:
        return Heard(None, "timeout" if isinstance(error, _CutOff) else "connection")


class _CutOff(OSError):
    """The request took too long and was ended from our side."""


def _checked_address(target: Target, *, allows_loopback: bool) -> tuple[int, str] | None:
    found = socket.getaddrinfo(target.host, target.port, type=socket.SOCK_STREAM)
    addresses = [str(one[4][0]) for one in found]
    if not all_may_be_asked(addresses, allows_loopback=allows_loopback):
        return None
    return found[0][0], addresses[0]


def _ask(
    target: Target, address: tuple[int, str], headers: Mapping[str, str], body: bytes, seconds: float
) -> Heard:
    family, number = address
    plain = socket.socket(family, socket.SOCK_STREAM)
    is_over = threading.Event()

    def cut() -> None:
        is_over.set()
        with suppress(OSError):
            plain.shutdown(socket.SHUT_RDWR)

    # Each read has a limit of its own; an answer that drips byte by byte needs one for the whole.
    alarm = threading.Timer(seconds, cut)
    alarm.daemon = True
    alarm.start()
    try:
        plain.settimeout(min(CONNECT_SECONDS, seconds))
        plain.connect((number, target.port))
        plain.settimeout(seconds)
        return _exchange(target, plain, headers, body)
    except (OSError, http.client.HTTPException, ValueError):
        if is_over.is_set():
            raise _CutOff from None
        raise
    finally:
        alarm.cancel()
        plain.close()


def _exchange(target: Target, plain: socket.socket, headers: Mapping[str, str], body: bytes) -> Heard:
    line = plain
    if target.is_tls:
        line = ssl.create_default_context().wrap_socket(plain, server_hostname=target.host)
    connection = http.client.HTTPConnection(target.host, target.port)
    connection.sock = line
    usual_port = 443 if target.is_tls else 80
    host = f"[{target.host}]" if ":" in target.host else target.host
    named = host if target.port == usual_port else f"{host}:{target.port}"
    try:
        connection.putrequest("POST", target.path, skip_host=True, skip_accept_encoding=True)
        for name, value in {"Host": named, **headers, "Content-Length": str(len(body))}.items():
            connection.putheader(name, value)
        connection.endheaders(body)
        answer = connection.getresponse()
        text = answer.read(4 * KEPT_LETTERS).decode("utf-8", "replace").replace("\x00", "")[:KEPT_LETTERS]
        return Heard(answer.status, None, text or None)
    finally:
        connection.close()
        line.close()
