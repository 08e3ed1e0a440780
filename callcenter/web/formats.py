"""Template filters: clocks, times in the viewer's zone, shares with their base, money, codes in words.

`FILTERS` is given to Jinja. The viewer's language and zone come from Flask-Babel's selectors.
"""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta, tzinfo
from typing import Any

from babel.dates import format_date
from babel.numbers import format_currency, format_decimal, get_currency_symbol
from flask_babel import get_locale, get_timezone, gettext, ngettext
from jinja2 import pass_context
from jinja2.runtime import Context

from callcenter.web.bars import bar_help, bar_label
from callcenter.web.labels import LABELS
from callcenter.web.pages import charts
from callcenter.web.pages.frame import Money

NBSP = "\u00a0"
MINUS = "\u2212"
NO_FIGURE = "\u2013"
MOST_EVIDENCE = 1_000_000


def label(code: str | None) -> str:
    """A fixed code in the viewer's words; an unknown code is shown readable, never hidden."""
    if not code:
        return ""
    return str(LABELS[code]) if code in LABELS else code.replace("_", " ").capitalize()


def clock(seconds: float | None) -> str:
    """Seconds as m:ss, or h:mm:ss from one hour; 42 -> 0:42."""
    if seconds is None:
        return NO_FIGURE
    whole = max(0, int(seconds))
    hours, rest = divmod(whole, 3600)
    minutes, second = divmod(rest, 60)
    return f"{hours}:{minutes:02d}:{second:02d}" if hours else f"{minutes}:{second:02d}"


def span(seconds: float | None) -> str:
    """Seconds in words with the two largest units: 72 -> 1 min 12 s."""
    if seconds is None:
        return NO_FIGURE
    minutes, second = divmod(max(0, int(seconds)), 60)
    hours, minute = divmod(minutes, 60)
    days, hour = divmod(hours, 24)
    if days:
        return gettext("%(d)s d %(h)s h", d=days, h=hour)
    if hours:
        return gettext("%(h)s h %(m)s min", h=hours, m=minute)
    if minutes:
        return gettext("%(m)s min %(s)s s", m=minutes, s=second)
    return gettext("%(s)s s", s=second)


def since(at: datetime, now: datetime) -> float:
    """Seconds from `at` until `now`, never negative."""
    return max(0.0, (now - at).total_seconds())


def until(at: datetime, now: datetime) -> float:
    """Seconds from `now` until `at`, never negative."""
    return max(0.0, (at - now).total_seconds())


def epoch_ms(at: datetime) -> int:
    """Milliseconds since 1970 in UTC, which the browser's clocks count from."""
    return int(at.timestamp() * 1000)


def time_of_day(at: datetime, zone: tzinfo | None = None) -> str:
    """HH:MM in `zone`, or in the viewer's zone."""
    return _local(at, zone).strftime("%H:%M")


def time_with_seconds(at: datetime) -> str:
    """HH:MM:SS in the viewer's zone."""
    return _local(at, None).strftime("%H:%M:%S")


def day(at: date | datetime) -> str:
    """Day and month in the viewer's language: 18 Nov, 11月18日."""
    on = _local(at, None).date() if isinstance(at, datetime) else at
    return str(format_date(on, "M月d日" if _is_chinese() else "d MMM", locale=get_locale() or "en"))


def day_name(at: datetime, now: datetime) -> str:
    """A day of the last week: today, yesterday, or weekday and date, in the viewer's zone."""
    local, today = _local(at, None).date(), _local(now, None).date()
    if local == today:
        return gettext("Today")
    if local == today - timedelta(days=1):
        return gettext("Yesterday")
    return f"{format_date(local, 'EEE', locale=get_locale() or 'en')} {day(local)}"


def when(at: datetime, now: datetime, zone: tzinfo | None = None) -> str:
    """The time today, "Tomorrow 09:00", or day and time; in `zone` or in the viewer's zone."""
    local, today = _local(at, zone), _local(now, zone).date()
    if local.date() == today:
        return local.strftime("%H:%M")
    if local.date() == today + timedelta(days=1):
        return gettext("Tomorrow %(time)s", time=local.strftime("%H:%M"))
    return f"{day(local.date())} {local:%H:%M}"


def not_before(at: datetime, now: datetime, zone: tzinfo, place: str) -> str:
    """Until when a customer is barred, in their own hours: Not before 09:00 tomorrow in Urumqi."""
    local, today = at.astimezone(zone), now.astimezone(zone).date()
    time = local.strftime("%H:%M")
    if local.date() == today:
        return gettext("Not before %(time)s in %(place)s.", time=time, place=place)
    if local.date() == today + timedelta(days=1):
        return gettext("Not before %(time)s tomorrow in %(place)s.", time=time, place=place)
    return gettext(
        "Not before %(time)s on %(day)s in %(place)s.", time=time, day=day(local.date()), place=place
    )


def utc_offset(zone: tzinfo, now: datetime) -> str:
    """A zone's distance from UTC at `now`: UTC+8, UTC+5:30."""
    minutes = int((now.astimezone(zone).utcoffset() or timedelta()).total_seconds() // 60)
    hours, rest = divmod(abs(minutes), 60)
    sign = MINUS if minutes < 0 else "+"
    return f"UTC{sign}{hours}" + (f":{rest:02d}" if rest else "")


def number(value: float | None) -> str:
    """A count with thousands separated."""
    return NO_FIGURE if value is None else str(format_decimal(round(value), locale=get_locale()))


def evidence(value: float | None, digits: int = 0) -> str:
    """An e-value; beyond a million nobody is told more: it may have three hundred digits."""
    if value is None:
        return NO_FIGURE
    if value > MOST_EVIDENCE:
        return gettext("over %(n)s", n=number(MOST_EVIDENCE))
    return f"{value:.{digits}f}" if digits else number(value)


def percent(share: float | None, digits: int = 1) -> str:
    """A share from 0 to 1 as a percentage with one decimal: 41.4 %."""
    return NO_FIGURE if share is None else f"{share * 100:.{digits}f}{NBSP}%"


def of_base(numerator: int | None, denominator: int | None) -> str:
    """The counts behind a share: 201 of 486."""
    if numerator is None or denominator is None:
        return ""
    return gettext("%(part)s of %(whole)s", part=number(numerator), whole=number(denominator))


def signed(value: float | None, digits: int = 1) -> str:
    """A difference with its sign and its decimals, one by default: +4.7, with a true minus."""
    if value is None:
        return NO_FIGURE
    sign = "+" if round(value, digits) > 0 else MINUS if round(value, digits) < 0 else ""
    return f"{sign}{abs(value):.{digits}f}"


def money(amount: Money | None) -> str:
    """An amount without minor units, with the short symbol of its currency: ¥30,000."""
    if amount is None:
        return NO_FIGURE
    symbol = get_currency_symbol(amount.currency, locale="zh_CN" if amount.currency == "CNY" else "en_US")
    return str(format_currency(amount.amount, "XXX", f"'{symbol}'#,##0", locale="en", currency_digits=False))


def figure(value: float | None, kind: str, digits: int = 1) -> str:
    """A figure by its kind: count, share or clock."""
    if kind == "share":
        return percent(value, digits)
    return clock(value) if kind == "clock" else number(value)


def in_time(at: datetime, now: datetime) -> str:
    """How far ahead a promise lies: "in 38 min", or "due" once it is reached."""
    ahead = until(at, now)
    minutes = round(ahead / 60)
    if ahead <= 0:
        return gettext("due")
    if minutes < 60:
        return ngettext("in %(num)s min", "in %(num)s min", max(1, minutes))
    return gettext("in %(h)s h %(m)s min", h=minutes // 60, m=minutes % 60)


def _local(at: datetime, zone: tzinfo | None) -> datetime:
    # Flask-Babel's own conversion wants pytz zones; ours are zoneinfo.
    return at.astimezone(zone or get_timezone() or UTC)


def _is_chinese() -> bool:
    locale = get_locale()
    return locale is not None and locale.language == "zh"


@pass_context
def _label_when_shown(_: Context, code: str | None) -> str:
    """Look a code up anew for each viewer: without the context, Jinja would keep the first one's language."""
    return label(code)


FILTERS: dict[str, Callable[..., Any]] = {
    "label": _label_when_shown,
    "bar": bar_label,
    "bar_help": bar_help,
    "clock": clock,
    "span": span,
    "since": since,
    "until": until,
    "epoch_ms": epoch_ms,
    "time_of_day": time_of_day,
    "time_with_seconds": time_with_seconds,
    "day": day,
    "when": when,
    "not_before": not_before,
    "utc_offset": utc_offset,
    "number": number,
    "evidence": evidence,
    "percent": percent,
    "of_base": of_base,
    "signed": signed,
    "money": money,
    "figure": figure,
    "in_time": in_time,
    "sparkline": charts.sparkline,
    "journey_map": charts.journey_map,
    "interval": charts.interval,
    "recovery_curve": charts.recovery_curve,
    "share_at": charts.share_at,
    "evidence_line": charts.evidence_line,
}
