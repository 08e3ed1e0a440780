"""Who may be given call tasks: teams and skills, with how many of them are signed in, in the viewer's words."""

from flask_babel import gettext
from sqlmodel import Session

from callcenter.domain.needs import LEVELS
from callcenter.routing.queries import signed_in, skills
from callcenter.web.offer_words import skill_name
from callcenter.web.pages.compliance import Option


def receivers(session: Session) -> dict[str, tuple[Option, ...]]:
    """Return the options by name: team, skill (those in use) and level, a skill's or a higher one."""
    here = signed_in(session)
    return {
        "team": tuple(
            Option(team, gettext("%(team)s, %(n)s signed in", team=team, n=here.of_team[team]))
            for team in sorted(here.of_team)
        ),
        "skill": tuple(
            Option(
                one.key,
                gettext("%(skill)s, %(n)s signed in", skill=skill_name(one), n=here.of_skill.get(one.key, 0)),
            )
            for one in skills(session)
            if one.is_active
        ),
        "level": tuple(Option(str(level), level_words(level)) for level in LEVELS),
    }


def level_words(level: int) -> str:
    """A level of a skill, and those above it."""
    if level <= LEVELS[0]:
        return gettext("of any level")
    if level >= LEVELS[-1]:
        return gettext("level %(n)s", n=level)
    return gettext("level %(n)s or higher", n=level)
