"""Making one policy of all packs that apply: of every figure the strictest counts. Pure."""

from collections.abc import Collection, Iterable, Sequence
from typing import Any, NamedTuple

from callcenter.compliance.numbers import ANYWHERE
from callcenter.compliance.packs_reading import Figure, Version
from callcenter.domain.contact import CallingHours, ContactPolicy
from callcenter.domain.enums import Purpose


class Applied(NamedTuple):
    """A figure that is about a call, and the version of the pack that says so."""

    version: Version
    figure: Figure


def concerns(wanted: Collection[str], regions: Collection[str]) -> bool:
    """Whether somebody who may be in `regions` may be in one of `wanted`.

    An unknown subdivision may be every one: US-??, as well as a country of which no subdivision is known,
    meets each US-FL.
    """
    return any(_meets(one, regions) for one in wanted)


def _meets(wanted: str, regions: Collection[str]) -> bool:
    country, dash, _ = wanted.partition("-")
    if wanted in regions:
        return True
    if not dash:
        return any(region.startswith(f"{country}-") for region in regions)
    if f"{country}-{ANYWHERE}" in regions:
        return True
    return country in regions and not any(region.startswith(f"{country}-") for region in regions)


def applied_figures(versions: Iterable[Version], regions: frozenset[str], purpose: Purpose) -> list[Applied]:
    """Return every figure of these versions that is about a call for this purpose to somebody in these regions."""
    return [
        Applied(version, figure)
        for version in versions
        for figure in version.figures
        if purpose in figure.purposes and (not figure.regions or concerns(figure.regions, regions))
    ]


def combine(versions: Sequence[Version], regions: frozenset[str], purpose: Purpose) -> ContactPolicy | None:
    """Return the strictest policy of these versions; None when none of them says when calls may be made.

    Where no version says whether marketing needs consent, it does.
    """
    told: dict[str, list[Any]] = {}
    for _, figure in applied_figures(versions, regions, purpose):
        told.setdefault(figure.name, []).append(figure.value)
    if "calling_hours" not in told:
        return None
    limits: dict[str, Any] = {
        name: max(told[name])
        for name in ("minimum_gap", "conversation_pause", "refusal_stop")
        if name in told
    }
    if "abandonment" in told:
        limits["abandonment_limit"] = min(limit for limit, _ in told["abandonment"])
        limits["guaranteed_after_abandonment"] = max(span for _, span in told["abandonment"])
    barred = frozenset().union(*told.get("barred_regions", ()))
    return ContactPolicy(
        version="+".join(version.label for version in versions),
        hours=_distinct(told["calling_hours"]),
        caps=tuple(sorted(set(told.get("caps", ())), key=lambda cap: (cap.window, cap.calls))),
        needs_consent=any(told.get("consent", (purpose is Purpose.MARKETING,))),
        registries=tuple(sorted(set(told.get("registries", ())), key=lambda one: (one.key, one.max_age))),
        barred_kinds=frozenset().union(*told.get("barred_kinds", ())),
        barred_regions=barred.union(*(_meant(one, regions) for one in barred)),
        **limits,
    )


def _meant(wanted: str, regions: frozenset[str]) -> Iterable[str]:
    """Return what stands for a barred region among the customer's own: US-?? and US for US-FL."""
    country = wanted.partition("-")[0]
    return (one for one in regions if _meets(wanted, regions) and one.partition("-")[0] == country)


def _distinct(hours: Iterable[CallingHours]) -> tuple[CallingHours, ...]:
    return tuple(dict.fromkeys(hours))
