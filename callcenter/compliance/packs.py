"""Policy packs: dated figures for one jurisdiction each, with sources; the strictest that applies counts."""

from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime
from pathlib import Path

from callcenter.compliance.packs_combining import Applied, applied_figures, combine, concerns
from callcenter.compliance.packs_reading import Version, read_pack
from callcenter.domain.contact import ContactPolicy
from callcenter.domain.enums import Purpose
from callcenter.errors import BadInput

PACKS = Path(__file__).with_name("packs_data")
DEFAULT_PACK = "cn-bank"
_MOST_KEPT = 4096

Asked = tuple[int, frozenset[str], Purpose]


class PackBook:
    """Every pack known, with the home packs that apply to each call; see `policy`."""

    def __init__(self, home: Sequence[str], packs: Mapping[str, Sequence[Version]]) -> None:
        self.home = tuple(dict.fromkeys(home))
        self.packs = packs
        """The versions of each pack, oldest first."""
        self._eras = sorted({version.starts_at for versions in packs.values() for version in versions})
        self._policies: dict[Asked, ContactPolicy | None] = {}

    def policy(self, regions: frozenset[str], purpose: Purpose, at: datetime) -> ContactPolicy | None:
        """Return the strictest combination of the home packs and of those of these regions in force at `at`.

        None, which bars every call, when a home pack is unknown or not in force yet, and when no pack says at
        what hours calls may be made.
        """
        asked = (bisect_right(self._eras, at), regions, purpose)
        try:
            return self._policies[asked]
        except KeyError:
            versions = self.versions_for(regions, at)
            policy = combine(versions, regions, purpose) if versions else None
            if len(self._policies) >= _MOST_KEPT:
                self._policies.clear()
            self._policies[asked] = policy
            return policy

    def versions_for(self, regions: frozenset[str], at: datetime) -> list[Version] | None:
        """Return the versions that apply, the home packs' first; None when a home pack has none in force."""
        home = [self.in_force(key, at) for key in self.home]
        if None in home or not home:
            return None
        others = (self.in_force(key, at) for key in sorted(self.packs) if key not in self.home)
        abroad = [one for one in others if one is not None and concerns(one.regions, regions)]
        return [one for one in home if one is not None] + abroad

    def in_force(self, key: str, at: datetime) -> Version | None:
        """Return the version of a pack that counts at `at`: the latest that has begun; None when none has."""
        begun = [version for version in self.packs.get(key, ()) if version.starts_at <= at]
        return begun[-1] if begun else None

    def figures(self, regions: frozenset[str], purpose: Purpose, at: datetime) -> list[Applied]:
        """Return every figure that was considered for `policy`, with the pack that says so."""
        return applied_figures(self.versions_for(regions, at) or (), regions, purpose)


def load_book(home: Sequence[str], versions: Iterable[tuple[str, str]] = (), root: Path = PACKS) -> PackBook:
    """Read every pack under `root` and the texts put in force here, (pack, YAML), oldest approval first.

    A text adds its versions to those of its pack; one that is valid from the same day takes the older's place.
    Raises BadInput naming file, line and entry when one of them is malformed.
    """
    packs: dict[str, dict[date, Version]] = {}
    for path in sorted(root.glob("*.yaml")):
        _put(packs, path.stem, read_pack(_text_of(path), path.name), path.name)
    for key, text in versions:
        _put(packs, key, read_pack(text, f"{key} (put in force here)"), f"{key} (put in force here)")
    return PackBook(
        home,
        {
            key: sorted(by_day.values(), key=lambda version: (version.starts_at, version.valid_from))
            for key, by_day in packs.items()
        },
    )


def _text_of(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise BadInput(f"{path.name}: cannot be read ({type(error).__name__})") from None


def _put(packs: dict[str, dict[date, Version]], key: str, versions: Sequence[Version], where: str) -> None:
    """Add versions to a pack; one that replaces another has a label of its own, such as cn-bank@2023-03-01.2."""
    by_day = packs.setdefault(key, {})
    for version in versions:
        if version.pack != key:
            raise BadInput(f"{where}: is pack {version.pack!r}, not {key!r}")
        earlier = by_day.get(version.valid_from)
        if earlier is not None:
            _, _, number = earlier.label.partition(".")
            by_day[version.valid_from] = replace(version, label=f"{version.label}.{int(number or 1) + 1}")
        else:
            by_day[version.valid_from] = version
