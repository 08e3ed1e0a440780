"""Segments and the tags of agents."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from callcenter.web.pages.frame import Frame

Options = tuple[tuple[str, str], ...]
"""(value, finished label) pairs."""


@dataclass(frozen=True, slots=True)
class SegmentRow:
    """One segment in words. `size` is None until it was worked out; `trouble` is a code, when it could not be."""

    key: str
    label: str
    words: str
    href: str
    size: int | None
    of: int
    computed_at: datetime | None
    took_ms: int
    trouble: str | None = None
    is_settled: bool = True


@dataclass(frozen=True, slots=True)
class TagRow:
    """A tag agents may give; `customers` have it now."""

    code: str
    label: str
    customers: int
    is_active: bool


@dataclass(frozen=True, slots=True)
class SegmentsPage:
    """All segments, and the tags of agents; `values` and `error` are of the form for a new tag."""

    frame: Frame
    rows: tuple[SegmentRow, ...] = ()
    tags: tuple[TagRow, ...] = ()
    values: Mapping[str, str] | None = None
    error: str | None = None


@dataclass(frozen=True, slots=True)
class FormRow:
    """One row of the form as typed, and what is wrong with it."""

    values: Mapping[str, str]
    problem: str | None = None


@dataclass(frozen=True, slots=True)
class SegmentForm:
    """A segment's form as typed. `looked` is the size found for it just now, `words` what it says."""

    values: Mapping[str, str]
    rows: tuple[FormRow, ...]
    problems: Mapping[str, str]
    forms: Options
    events: Options
    amounts: Options
    fields: Options
    operators: Options
    groups: Options
    most_rows: int
    words: str | None = None
    looked: int | None = None
    of: int = 0
    note: str | None = None


@dataclass(frozen=True, slots=True)
class Member:
    """A customer of a segment, masked: nobody is called from here."""

    name: str
    number: str
    place: str
    language: str


@dataclass(frozen=True, slots=True)
class SegmentPage:
    """One segment, or a new one (`row` None): its form, some of its customers, the rules that speak of it."""

    frame: Frame
    form: SegmentForm
    row: SegmentRow | None = None
    members: tuple[Member, ...] = ()
    rules: tuple[str, ...] = ()
