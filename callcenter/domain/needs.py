"""What a call task asks of the agent who is to have it; pure."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace

from callcenter.domain.enums import Requirement

LEVELS = range(1, 6)
"""How well an agent has a skill: 1 has begun, 3 works alone, 5 teaches it."""
RELAXED_IN_ORDER = (Requirement.TEAM, Requirement.LEVEL, Requirement.SKILL, Requirement.LANGUAGE)
"""What is given up first and what last, when nobody suitable is signed on."""
EVERYTHING = frozenset(Requirement)


@dataclass(frozen=True, slots=True)
class Need:
    """The customer's language, and what the rule asks for: a skill at a level (1-5), a team. None: nothing."""

    language: str
    skill: str | None = None
    level: int = 1
    team: str | None = None

    @property
    def requirements(self) -> tuple[Requirement, ...]:
        """What is asked, in the order in which it would be given up."""
        asked = {
            Requirement.TEAM: self.team is not None,
            Requirement.LEVEL: self.skill is not None and self.level > LEVELS[0],
            Requirement.SKILL: self.skill is not None,
            Requirement.LANGUAGE: True,
        }
        return tuple(one for one in RELAXED_IN_ORDER if asked[one])

    def without(self, relaxed: Collection[Requirement]) -> "Need":
        """Return the need without what was given up; the language is asked of `speaks` instead."""
        has_skill = Requirement.SKILL not in relaxed
        return replace(
            self,
            team=None if Requirement.TEAM in relaxed else self.team,
            skill=self.skill if has_skill else None,
            level=LEVELS[0] if Requirement.LEVEL in relaxed else self.level,
        )


@dataclass(frozen=True, slots=True)
class Able:
    """What an agent brings: the languages they speak, their skills with levels, their team."""

    languages: frozenset[str]
    skills: Mapping[str, int]
    team: str


def suits(able: Able, need: Need, relaxed: Collection[Requirement] = ()) -> bool:
    """Whether an agent meets a need, leaving out what was given up."""
    asked = need.without(relaxed)
    return (
        (Requirement.LANGUAGE in relaxed or asked.language in able.languages)
        and (asked.skill is None or able.skills.get(asked.skill, 0) >= asked.level)
        and (asked.team is None or asked.team == able.team)
    )
