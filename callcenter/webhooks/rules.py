"""What is signed and how, when to try again, and which addresses may be asked. Pure."""

import hmac
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address
from urllib.parse import urlsplit
from uuid import UUID

from callcenter.errors import BadInput
from callcenter.webhooks.policy import FIRST_PAUSE, LONGEST_PAUSE, LONGEST_REST, MAX_URL, TRIED_FOR

Address = IPv4Address | IPv6Address
_NAT64 = IPv6Network("64:ff9b::/96")
_COMPATIBLE = IPv6Network("::/96")


@dataclass(frozen=True, slots=True)
class NewEndpoint:
    """Whom to tell of what."""

    url: str
    kinds: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Target:
    """Where a request goes: host and port to ask, and what to ask for."""

    host: str
    port: int
    is_tls: bool
    path: str


def read_url(url: str, *, allows_loopback: bool) -> Target:
    """Check an endpoint's address and take it apart.

    https only; on a demo also http to loopback. Raises BadInput saying what is wrong.
    """
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:
        raise _wrong("This is no address such as https://bank.example/hooks.") from None
    if len(url) > MAX_URL or not url.isascii() or not url.isprintable() or " " in url or not host:
        raise _wrong("This is no address such as https://bank.example/hooks.")
    if parts.username is not None or parts.password is not None or parts.fragment:
        raise _wrong("The address holds no user, password or fragment; the signature is the proof.")
    is_local = allows_loopback and is_loopback_name(host)
    if parts.scheme != "https" and not (parts.scheme == "http" and is_local):
        raise _wrong("The address begins with https://.")
    literal = _literal(host)
    if literal is not None and not may_be_asked(literal, allows_loopback=allows_loopback):
        raise _wrong("This address lies in a private network; give one that can be reached from outside.")
    is_tls = parts.scheme == "https"
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return Target(host, port or (443 if is_tls else 80), is_tls, path)


def _wrong(message: str) -> BadInput:
    return BadInput(message, {"url": [message]})


def is_loopback_name(host: str) -> bool:
    """Whether a host is this machine by its name or number."""
    literal = _literal(host)
    return host == "localhost" or (literal is not None and literal.is_loopback)


def _literal(host: str) -> Address | None:
    try:
        return ip_address(host.partition("%")[0])
    except ValueError:
        return None


def may_be_asked(address: Address, *, allows_loopback: bool) -> bool:
    """Whether an address a host resolves to may be asked: public ones, on a demo also loopback.

    Private, link-local (which cloud metadata services use), shared, reserved and multicast addresses may not,
    nor may IPv6 addresses that stand for such an IPv4 address.
    """
    if isinstance(address, IPv6Address) and (inner := _inside(address)) is not None:
        address = inner
    if address.is_loopback:
        return allows_loopback
    return address.is_global and not address.is_multicast and not address.is_reserved


def _inside(address: IPv6Address) -> IPv4Address | None:
    """Return the IPv4 address an IPv6 one stands for: mapped, compatible, 6to4, NAT64, Teredo."""
    if address.ipv4_mapped is not None:
        return address.ipv4_mapped
    if address.sixtofour is not None:
        return address.sixtofour
    if address.teredo is not None:
        return IPv4Address(0)  # through somebody else's server: never asked
    is_embedded = address in _NAT64 or (address in _COMPATIBLE and not address.is_loopback)
    return IPv4Address(int(address) & 0xFFFFFFFF) if is_embedded else None


def all_may_be_asked(addresses: Iterable[str], *, allows_loopback: bool) -> bool:
    """Whether every address of a host may be asked: one private among them spoils all."""
    found = [_literal(one) for one in addresses]
    return bool(found) and all(
        one is not None and may_be_asked(one, allows_loopback=allows_loopback) for one in found
    )


def signature(secrets: Iterable[str], at: datetime, body: bytes) -> str:
    """Return the header's value: the time, and for each secret HMAC-SHA256 over `time.body` in hexadecimals."""
    seconds = str(int(at.timestamp()))
    signed = seconds.encode() + b"." + body
    marks = (hmac.new(one.encode(), signed, sha256).hexdigest() for one in secrets)
    return ",".join([f"t={seconds}", *(f"v1={mark}" for mark in marks)])


def next_try(event_id: UUID, tries: int, tries_from: datetime, now: datetime) -> datetime | None:
    """Say when to try again after so many tries; None when it has been tried for long enough.

    Each pause is twice the one before, give or take half of it by chance. The chance is the event's own, so that
    the same row always says the same, and rows that failed together do not come back together.
    """
    if now - tries_from >= TRIED_FOR:
        return None
    pause = min(FIRST_PAUSE * (1 << min(tries - 1, 20)), LONGEST_PAUSE)
    digest = sha256(f"{event_id}/{tries}".encode()).digest()
    share = int.from_bytes(digest[:4]) / 2**32
    return min(now + pause * (0.5 + share), tries_from + TRIED_FOR + timedelta(seconds=1))


def rest_after(failures: int) -> timedelta:
    """Say how long an endpoint is left alone after so many failures in a row."""
    return min(FIRST_PAUSE * (1 << min(failures - 1, 20)), LONGEST_REST)
