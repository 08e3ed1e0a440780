"""Which URLs the simulator will speak to: the loopback interface and nothing else."""

from ipaddress import ip_address
from urllib.parse import urlsplit


def is_loopback_url(url: str) -> bool:
    """An http(s) URL whose host is localhost or a loopback address; underscores in a host are refused too.

    The real carrier wants the opposite, a public name; a simulator that rang strangers would be a hazard.
    """
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname or "", parts.port
    except ValueError:
        return False
    if parts.scheme not in ("http", "https") or parts.username is not None:
        return False
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False
