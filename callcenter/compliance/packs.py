"""Policy packs: dated figures for one jurisdiction each, with sources; the strictest that applies counts."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from pathlib import Path

from callcenter.domain.contact import ContactPolicy
from callcenter.domain.enums import Purpose

PACKS = Path(__file__).with_name("packs_data")
DEFAULT_PACK = "cn-bank"


class PackBook:
    """Every pack known, with the home packs that apply to each call; see `policy`."""

    def policy(self, regions: frozenset[str], purpose: Purpose, at: datetime) -> ContactPolicy | None:
        """Return the strictest combination of the home packs and of those of these regions in force at `at`."""
        raise NotImplementedError


def load_book(
    home: Sequence[str], versions: Iterable[tuple[str, str]] = (), root: Path = PACKS
) -> PackBook:
    raise NotImplementedError
