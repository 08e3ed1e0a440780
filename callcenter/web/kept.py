"""Figures of the day that change slowly and cost much: asked anew each half minute at most."""

from collections.abc import Callable, Hashable
from datetime import datetime
from typing import Any, TypeVar, cast

from flask import current_app

_SECONDS = 30
T = TypeVar("T")


def kept(name: str, key: Hashable, now: datetime, read: Callable[[], T]) -> T:
    """Return what `read` returned for this name and key within the half minute of `now`, else what it returns."""
    slots: dict[str, tuple[int, dict[Hashable, Any]]] = current_app.extensions.setdefault("kept_figures", {})
    slot = int(now.timestamp() // _SECONDS)
    if slots.get(name, (None, {}))[0] != slot:
        slots[name] = (slot, {})
    known = slots[name][1]
    if key not in known:
        known[key] = read()
    return cast(T, known[key])
