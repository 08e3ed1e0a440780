"""Reading a pack: a jurisdiction's dated versions of figures, each figure with its source. Pure."""

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

from callcenter.compliance.packs_figures import READERS, read_regions
from callcenter.compliance.packs_text import Item, read_item
from callcenter.domain.enums import Purpose

_KEY = re.compile(r"[a-z][a-z0-9-]{0,39}")
_HEAD = ("pack", "title", "applies_to", "time_zone", "versions")


@dataclass(frozen=True, slots=True)
class Figure:
    """One figure of one version: what it says, who says so, and for which calls. No regions: all of the pack's."""

    name: str
    value: Any
    source: str
    note: str
    purposes: frozenset[Purpose]
    regions: frozenset[str]
    line: int


@dataclass(frozen=True, slots=True)
class Version:
    """What a pack says from a date on. `label` names it in decisions: cn-bank@2023-03-01."""

    pack: str
    label: str
    title: tuple[tuple[str, str], ...]
    regions: frozenset[str]
    valid_from: date
    starts_at: datetime
    figures: tuple[Figure, ...]


@lru_cache(maxsize=64)
def read_pack(text: str, file: str) -> tuple[Version, ...]:
    """Return a pack's versions, oldest first. Raises BadInput naming file, line and entry that is malformed."""
    told = read_item(text, file).entries(_HEAD)
    key = told["pack"].text()
    if not _KEY.fullmatch(key):
        told["pack"].fail(f"{key!r} is no pack's name; write small letters, digits and -, such as cn-bank")
    titles = told["title"].entries(["en", "zh"])
    title = tuple((language, item.text()) for language, item in titles.items())
    regions = read_regions(told["applies_to"].entries(["regions"])["regions"])
    zone = _zone(told["time_zone"])
    versions = [_version(item, key, title, regions, zone) for item in told["versions"].members()]
    if not versions:
        told["versions"].fail("needs a version")
    for item, version in zip(told["versions"].members(), versions, strict=True):
        if sum(other.valid_from == version.valid_from for other in versions) > 1:
            item.fail(f"two versions are valid from {version.valid_from}")
    return tuple(sorted(versions, key=lambda version: version.starts_at))


def _zone(item: Item) -> ZoneInfo:
    name = item.text()
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        item.fail(f"{name!r} is no time zone; write one such as Asia/Shanghai")


def _version(
    item: Item, key: str, title: tuple[tuple[str, str], ...], regions: frozenset[str], zone: ZoneInfo
) -> Version:
    told = item.entries(["valid_from"], tuple(READERS))
    valid_from = told["valid_from"].day()
    if not 1970 <= valid_from.year <= 2200:
        told["valid_from"].fail("must be a date from 1970 to 2200")
    figures: list[Figure] = []
    for name in READERS:
        if name in told:
            entries = told[name].members() if told[name].is_list else [told[name]]
            if not entries:
                told[name].fail("needs an entry, or leave it out")
            figures += [_figure(name, entry) for entry in entries]
    if not figures:
        item.fail("needs a figure")
    starts_at = datetime.combine(valid_from, time(), zone).astimezone(UTC)
    return Version(key, f"{key}@{valid_from}", title, regions, valid_from, starts_at, tuple(figures))


def _figure(name: str, item: Item) -> Figure:
    told = item.entries(["value", "source"], ["note", "purposes", "regions"])
    return Figure(
        name=name,
        value=READERS[name](told["value"]),
        source=told["source"].text(),
        note=told["note"].text() if "note" in told else "",
        purposes=_purposes(told["purposes"]) if "purposes" in told else frozenset(Purpose),
        regions=read_regions(told["regions"]) if "regions" in told else frozenset(),
        line=item.line,
    )


def _purposes(item: Item) -> frozenset[Purpose]:
    purposes = set()
    for one in item.members():
        try:
            purposes.add(Purpose(one.text()))
        except ValueError:
            one.fail(f"{one.text()!r} is no purpose; known are {', '.join(Purpose)}")
    if not purposes:
        item.fail("must name a purpose")
    return frozenset(purposes)
