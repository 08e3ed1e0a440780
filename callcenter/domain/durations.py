"""Durations as people write them: 90s, 5m, 24h, 7d."""

import re
from datetime import timedelta
from typing import Any

from callcenter.errors import BadInput

_DURATION = re.compile(r"^(\d+(?:\.\d+)?)\s*(s|m|h|d)$")
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400}


def parse_duration(raw: Any, where: str) -> timedelta:
    """Read '90s', '5m', '24h' or '7d'. Raises BadInput that names `where` otherwise."""
    match = _DURATION.match(raw) if isinstance(raw, str) else None
    if match is None:
        raise BadInput(f"{where}: {raw!r} is not a duration; write 90s, 5m, 24h or 7d")
    return timedelta(seconds=float(match[1]) * _SECONDS[match[2]])


def duration_text(value: timedelta) -> str:
    """Write a duration in its largest whole unit, as parse_duration reads it."""
    seconds = value.total_seconds()
    for unit in ("d", "h", "m"):
        if seconds >= _SECONDS[unit] and seconds % _SECONDS[unit] == 0:
            return f"{seconds / _SECONDS[unit]:g}{unit}"
    return f"{seconds:g}s"
