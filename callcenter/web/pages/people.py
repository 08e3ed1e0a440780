"""The administration of people: the list, one person's form, teams and skills."""

from dataclasses import dataclass, field

from callcenter.web.pages.frame import Frame
from callcenter.web.pages.studio import Choice


@dataclass(frozen=True, slots=True)
class PersonRow:
    """One person of the list. `skills` are finished words ("Loans 4"); `languages` codes."""

    href: str
    name: str
    login: str
    role: str
    is_active: bool
    team: str = ""
    languages: tuple[str, ...] = ()
    skills: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class PeoplePage:
    """Everybody who may sign in, those who may not any more last."""

    frame: Frame
    tabs: tuple[Choice, ...]
    people: tuple[PersonRow, ...] = ()


@dataclass(frozen=True, slots=True)
class SkillField:
    """A skill in a person's form; `level` 0: they do not have it. `is_given`: it is given to agents still."""

    key: str
    name: str
    level: int = 0
    is_given: bool = True


@dataclass(frozen=True, slots=True)
class PersonPage:
    """The form of a person. `href` is empty for a new one; `error` says what is wrong with what was sent.

    `roles` are those that may be chosen; `why_not_switch` says why they cannot be deactivated.
    """

    frame: Frame
    href: str = ""
    login: str = ""
    name: str = ""
    role: str = "agent"
    roles: tuple[str, ...] = ()
    team: str = ""
    teams: tuple[str, ...] = ()
    languages: tuple[str, ...] = ("en", "zh")
    skills: tuple[SkillField, ...] = ()
    telephone: str = ""
    time_zone: str = "UTC"
    is_active: bool = True
    is_self: bool = False
    min_password: int = 10
    error: str | None = None


@dataclass(frozen=True, slots=True)
class TeamRow:
    """A team with how many active agents it has."""

    name: str
    agents: int
    transfers_need_approval: bool


@dataclass(frozen=True, slots=True)
class SkillRow:
    """A skill: how many active agents have it at each level from 1 to 5, and how many rules in force ask for it."""

    key: str
    name: str
    name_zh: str
    is_active: bool
    by_level: tuple[int, ...] = ()
    rules: int = 0

    @property
    def agents(self) -> int:
        """How many have it at all."""
        return sum(self.by_level)


@dataclass(frozen=True, slots=True)
class TeamsPage:
    """Teams and skills, each with a form for one more; `typed` is what was sent when `error` says why not.

    `to_confirm` is the key of a skill that rules need and that is switched off once more is pressed.
    """

    frame: Frame
    tabs: tuple[Choice, ...]
    teams: tuple[TeamRow, ...] = ()
    skills: tuple[SkillRow, ...] = ()
    error: str | None = None
    typed: dict[str, str] = field(default_factory=dict)
    to_confirm: str = ""
