"""Which firings the effects page counts: all, of the versions on show, of the last days, or between two days."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from urllib.parse import urlencode

from flask_babel import gettext

from callcenter.errors import BadInput
from callcenter.learning.windows import ALL_THE_TIME, Part, Window
from callcenter.triggers.queries import RuleSet
from callcenter.web.counts import ngettext
from callcenter.web.edge import zone
from callcenter.web.formats import day
from callcenter.web.pages import effects as page
from callcenter.web.pages.studio import Choice

PATH = "/studio/effects"
DAYS = (7, 28, 90)
MOST_DAYS = 3660


@dataclass(frozen=True, slots=True)
class Asked:
    """A window as an address asks for it, and the rule that is told in full, if one is asked for."""

    code: str = "all"
    since: date | None = None
    until: date | None = None
    rule: str | None = None

    def query(self, **changed: str) -> str:
        """Return what asks the same again, but for what is changed; what is empty is left out."""
        told = {"window": self.code if self.code != "all" else "", "rule": self.rule or ""}
        if self.since and self.until:
            told |= {"from": self.since.isoformat(), "to": self.until.isoformat()}
        return urlencode({name: one for name, one in (told | changed).items() if one})

    def url(self, path: str = PATH, **changed: str) -> str:
        """Return the address that asks the same again."""
        query = self.query(**changed)
        return f"{path}?{query}" if query else path

    def window(self, rules: RuleSet, now: datetime) -> Window:
        """Return the window as moments; days are the viewer's, today included."""
        if self.code == "version":
            return Window(versions=tuple(one.id for one in rules.all_current()))
        if self.since and self.until:
            start = datetime.combine(self.since, time(), zone())
            return Window(start, datetime.combine(self.until + timedelta(days=1), time(), zone()))
        if self.code == "all":
            return ALL_THE_TIME
        first = now.astimezone(zone()).date() - timedelta(days=int(self.code) - 1)
        return Window(datetime.combine(first, time(), zone()))


def asked_of(args: Mapping[str, str]) -> Asked:
    """Read which window is asked for; all the time without one. Raises BadInput that says what is wrong."""
    rule, code = args.get("rule") or None, args.get("window", "all")
    if code == "own":
        try:
            since, until = date.fromisoformat(args.get("from", "")), date.fromisoformat(args.get("to", ""))
        except ValueError:
            raise BadInput(gettext("Give days as 2026-11-18.")) from None
        if not since <= until or (until - since).days >= MOST_DAYS or since.year < 2000 or until.year > 2999:
            raise BadInput(gettext("The first day comes before the last, at most ten years earlier."))
        return Asked(code, since, until, rule)
    known = ("all", "version", *map(str, DAYS))
    return Asked(code if code in known else "all", rule=rule)


def part_asked(value: str | None) -> Part:
    """Read whose customers are asked for; those of all firings where it makes no sense."""
    return Part(value) if value in set(Part) else Part.FIRED


def window_words(asked: Asked, weeks: int, today: date) -> str:
    """Say the window in words; `weeks` is how many all firings span."""
    if asked.code == "version":
        return gettext("Since the version began")
    if asked.since and asked.until:
        return gettext("%(since)s to %(until)s", since=day(asked.since), until=day(asked.until))
    if asked.code == "all":
        return ngettext("%(num)s week to %(day)s", "%(num)s weeks to %(day)s", weeks, day=day(today))
    return ngettext("%(num)s day", "%(num)s days", int(asked.code))


def window_part(asked: Asked, weeks: int, today: date, error: str | None) -> page.EffectWindow:
    """Return the chooser of the window; `error` says why the days that were typed are none."""
    titles = {"all": gettext("All the time"), "version": gettext("Since the version began")}
    titles |= {str(days): ngettext("%(num)s day", "%(num)s days", days) for days in DAYS}
    bare = Asked(rule=asked.rule)
    return page.EffectWindow(
        label=window_words(asked, weeks, today),
        choices=tuple(
            Choice(title, bare.url(window=code if code != "all" else ""), code == asked.code)
            for code, title in titles.items()
        ),
        is_whole=asked.code == "all",
        since_on=(asked.since or today - timedelta(days=27)).isoformat(),
        until_on=(asked.until or today).isoformat(),
        kept=(("window", "own"), *((("rule", asked.rule),) if asked.rule else ())),
        error=error,
    )
