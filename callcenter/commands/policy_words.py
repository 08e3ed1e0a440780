"""How policy packs are told at the command line: as JSON, and in words."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from callcenter.compliance.explaining import Explanation
from callcenter.compliance.packs import PackBook
from callcenter.compliance.packs_reading import Version
from callcenter.compliance.packs_words import NAMES
from callcenter.domain.enums import Purpose

KNOWN = "the number alone: lists, consents, attempts, campaigns and the age of registries were not looked up"
PACKS_SHIPPED = "those the product brings; --here adds versions put in force in this installation"
PACKS_HERE = "those the product brings and the versions put in force in this installation"
_NO_CONSENT_FIGURE = "needed, as no pack says otherwise (house rule)"


def as_document(told: Explanation, here: bool) -> dict[str, Any]:
    """Return an explanation ready for JSON; it holds no number."""
    verdict = told.verdict
    return {
        "at": told.at.isoformat(),
        "purpose": told.facts.purpose,
        "campaign": told.facts.campaign,
        "known": KNOWN,
        "packs_from": PACKS_HERE if here else PACKS_SHIPPED,
        "number_kind": told.facts.number_kind,
        "regions": sorted(told.facts.regions),
        "zones": {zone.key: told.at.astimezone(zone).isoformat() for zone in told.facts.time_zones},
        "packs": [{"version": one.label, "title": dict(one.title)} for one in told.versions],
        "home_packs_missing": list(told.missing_home),
        "figures": [
            {
                "figure": one.name,
                "says": one.words,
                "version": one.label,
                "source": one.source,
                "note": one.note,
                "counts": one.counts,
            }
            for one in told.said
        ],
        "may_call": verdict.may_call,
        "reasons": list(verdict.reasons),
        "policy_version": verdict.policy_version,
        "next_allowed_at": _iso(verdict.next_allowed_at),
        "open_at": _iso(told.open_at),
    }


def _iso(at: datetime | None) -> str | None:
    return at.isoformat() if at is not None else None


def print_explanation(console: Console, told: Explanation, here: bool) -> None:
    """Tell an explanation in words; it holds no number."""
    facts = told.facts
    campaign = f" in campaign {facts.campaign}" if facts.campaign else ""
    _line(
        console, "Asked", f"a call for {facts.purpose}{campaign} at {told.at.isoformat(timespec='minutes')}"
    )
    _line(console, "Known", KNOWN)
    _line(console, "Number", f"{facts.number_kind}" if facts.number_kind else "none that can be called")
    _line(console, "Regions", ", ".join(sorted(facts.regions)) or "unknown")
    for local in told.local_times:
        _line(console, "Local time", f"{local:%a %Y-%m-%d %H:%M}  {local.tzinfo}")
    if not facts.time_zones:
        _line(console, "Local time", "unknown, which bars the call")
    _line(console, "Packs", PACKS_HERE if here else PACKS_SHIPPED)
    for key in told.missing_home:
        _line(console, "", f"{key}: always applies, and has no version in force: bars every call")
    for version in told.versions:
        _line(console, "", f"{version.label}  {dict(version.title)['en']}")
    console.print()
    _print_figures(console, told)
    console.print()
    _print_verdict(console, told)


def _print_figures(console: Console, told: Explanation) -> None:
    for said in told.said:
        mark = "" if said.counts else "  (another pack is stricter)"
        console.print(escape(f"{said.name}: {said.words}{mark}"))
        console.print(escape(f"    {said.label}: {said.source}"), style="dim")
        if said.note:
            console.print(escape(f"    {said.note}"), style="dim")
    names = {said.name for said in told.said}
    if told.facts.purpose == Purpose.MARKETING and NAMES["consent"] not in names and told.policy:
        console.print(f"{NAMES['consent']}: {_NO_CONSENT_FIGURE}")
    if told.policy is None and not told.missing_home:
        console.print("No pack says at what hours such a call may be made, which bars it.")


def _print_verdict(console: Console, told: Explanation) -> None:
    verdict = told.verdict
    if verdict.may_call:
        _line(console, "Verdict", "allowed, as far as the number tells")
        return
    _line(console, "Verdict", f"barred: {', '.join(verdict.reasons)}")
    if verdict.next_allowed_at is not None:
        _line(console, "Allowed from", _everywhere(told, verdict.next_allowed_at))
        return
    _line(console, "Allowed from", "unknown: waiting alone does not help")
    if told.open_at is not None and told.open_at > told.at:
        _line(console, "Hours open", _everywhere(told, told.open_at))


def _everywhere(told: Explanation, at: datetime) -> str:
    zones = (at.astimezone(zone) for zone in told.facts.time_zones)
    return "; ".join(f"{local:%a %Y-%m-%d %H:%M} {local.tzinfo}" for local in zones) or at.isoformat()


def _line(console: Console, name: str, text: str) -> None:
    console.print(escape(f"{name:13} {text}"))


def packs_document(book: PackBook, at: datetime) -> list[dict[str, Any]]:
    """Return each pack, what of it is in force, and what comes, ready for JSON."""
    return [
        {
            "pack": key,
            "title": dict(versions[-1].title),
            "always_applies": key in book.home,
            "in_force": current.label if current else None,
            "upcoming": [
                {"version": one.label, "from": one.starts_at.isoformat()}
                for one in versions
                if one.starts_at > at
            ],
        }
        for key, versions in sorted(book.packs.items())
        for current in (book.in_force(key, at),)
    ]


def print_packs(console: Console, book: PackBook, at: datetime) -> None:
    """List the packs in a table, then what will change."""
    table = Table("pack", "in force", "applies", "title", box=None, header_style="bold")
    coming: list[Version] = []
    for key, versions in sorted(book.packs.items()):
        current = book.in_force(key, at)
        regions = sorted((current or versions[0]).regions)
        where = ", ".join(regions[:4]) + (f" and {len(regions) - 4} more" if len(regions) > 4 else "")
        table.add_row(
            key,
            current.label if current else "nothing yet",
            "to every call" if key in book.home else where,
            dict(versions[-1].title)["en"],
        )
        coming += [one for one in versions if one.starts_at > at]
    console.print(table)
    for key in book.home:
        if key not in book.packs:
            console.print(
                f"{escape(key)} is to apply to every call, and there is no such pack: every call is barred"
            )
    for version in sorted(coming, key=lambda one: one.starts_at):
        days = (version.starts_at - at).days
        console.print(f"comes: {version.label}, from {version.valid_from} (in {days} days)")
    if not coming:
        console.print("No change is dated later than this.")


def print_check(console: Console, versions: Sequence[Version], shipped: PackBook, book: PackBook) -> None:
    """Tell what the versions of a checked file change against those before them."""
    key = versions[0].pack
    console.print(
        escape(
            f"{key}: well made, {len(versions)} version(s), applies to {', '.join(sorted(versions[0].regions))}"
        )
    )
    known = {one.valid_from: one for one in shipped.packs.get(key, ())}
    merged = book.packs[key]
    for version in versions:
        place = next(number for number, one in enumerate(merged) if one.valid_from == version.valid_from)
        before = known.get(version.valid_from) or (merged[place - 1] if place else None)
        names = {figure.name for figure in version.figures}
        console.print(f"{version.label}: {len(version.figures)} figures")
        if before is not None and before.figures != version.figures:
            verb = "replaces" if before.valid_from == version.valid_from else "follows"
            left_out = [
                NAMES[name] for name in dict.fromkeys(one.name for one in before.figures) if name not in names
            ]
            lost = f"; leaves out {', '.join(left_out)}: no longer limited by this pack" if left_out else ""
            console.print(f"    {verb} {before.label}{lost}")
