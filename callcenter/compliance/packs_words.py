"""What a figure of a pack says, in words that people read: for explanations, screens and reports. Pure."""

from collections.abc import Sequence
from datetime import time, timedelta
from typing import Any

from callcenter.compliance.calendars import Calendar
from callcenter.compliance.packs_figures import DAYS
from callcenter.compliance.packs_text import MIDNIGHT
from callcenter.domain.contact import FOR_GOOD, CallingHours, Cap, Registry, Window
from callcenter.domain.durations import duration_text

NAMES = {
    "calling_hours": "calling hours",
    "caps": "cap",
    "minimum_gap": "minimum gap",
    "conversation_pause": "pause after a conversation",
    "refusal_stop": "stop after a refusal",
    "consent": "consent",
    "registries": "registry",
    "barred_kinds": "barred kinds of number",
    "barred_regions": "barred regions",
    "abandonment": "abandonment",
}
"""How each figure is called."""


def figure_words(name: str, value: Any) -> str:
    """Return what a figure's value says."""
    if isinstance(value, CallingHours):
        return hours_words(value)
    if isinstance(value, Cap):
        return f"at most {value.calls} in any {duration_text(value.window)}, by person and by number"
    if isinstance(value, Registry):
        return f"{value.key}, looked up in a copy of the last {duration_text(value.max_age)}"
    if isinstance(value, bool):
        return "needed" if value else "not needed"
    if isinstance(value, timedelta):
        if name == "refusal_stop" and value in (FOR_GOOD, timedelta(0)):
            return "for good" if value == FOR_GOOD else "none"
        return duration_text(value)
    if isinstance(value, frozenset):
        return ", ".join(sorted(value))
    limit, span = value
    return f"at most {limit * 100:.3g} % of live answers; a waiting agent for {duration_text(span)} after one"


def hours_words(hours: CallingHours) -> str:
    """Return hours such as `Mon-Fri 10:00-13:00 14:00-20:00, Sat-Sun closed; closed on holidays of FR`."""
    runs: list[tuple[int, int]] = []
    for number, windows in enumerate(hours.by_weekday):
        if runs and windows == hours.by_weekday[runs[-1][0]]:
            runs[-1] = (runs[-1][0], number)
        else:
            runs.append((number, number))
    said = [f"{_days_words(first, last)} {_windows_words(hours.by_weekday[first])}" for first, last in runs]
    words = ", ".join(said)
    if hours.is_holiday is not None:
        words += f"; {_windows_words(hours.on_holidays)} on holidays{_whose(hours.is_holiday)}"
    if hours.is_workday is not None:
        words += f"; weekend days that are worked{_whose(hours.is_workday)} as Monday"
    return words


def _whose(tells: object) -> str:
    calendar = getattr(tells, "__self__", None)
    return f" of {calendar}" if isinstance(calendar, Calendar) else ""


def _days_words(first: int, last: int) -> str:
    if (first, last) == (0, 6):
        return "every day"
    names = [DAYS[number][:3].capitalize() for number in (first, last)]
    return names[0] if first == last else "-".join(names)


def _windows_words(windows: Sequence[Window]) -> str:
    return " ".join(f"{_clock(opens)}-{_clock(closes)}" for opens, closes in windows) or "closed"


def _clock(clock: time) -> str:
    return "24:00" if clock == MIDNIGHT else f"{clock:%H:%M}"
