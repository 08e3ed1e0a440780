"""Ids derived from what they identify: the same fact always gets the same id, so a retry cannot double it."""

from functools import lru_cache
from uuid import UUID, uuid5

_HOUSE = UUID("6f0a4c5e-7d1b-5a38-9c2e-0b8f5d3a1e47")


def derived_id(kind: str, *parts: object) -> UUID:
    """Return the id of the one thing of this kind that these parts name."""
    return _of_text("\x1f".join((kind, *map(str, parts))))


@lru_cache(maxsize=50_000)
def _of_text(text: str) -> UUID:
    return uuid5(_HOUSE, text)
