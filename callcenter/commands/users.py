"""`callcenter users`: add, change, list and deactivate the people who sign in; teams and skills."""

import click
from sqlmodel import Session, col, select

from callcenter import people
from callcenter.accounts import service as accounts
from callcenter.commands.here import runtime_here
from callcenter.domain.enums import Role
from callcenter.errors import BadInput, NotFound
from callcenter.models import Agent, User
from callcenter.routing import people as routing_people
from callcenter.routing import queries as routing_queries
from callcenter.routing import service as routing


@click.group("users")
def users() -> None:
    """Add, change, list and deactivate the people who sign in."""


@users.command("add")
@click.argument("login")
@click.option("--name", required=True, help="As others see it, and as agents say it on the telephone.")
@click.option("--role", type=click.Choice([role.value for role in Role]), required=True)
@click.option("--team", help="An agent's team.")
@click.option("--speaks", multiple=True, help="A language an agent speaks, en or zh; may be given twice.")
@click.option("--skill", "skills", multiple=True, help="A skill with the agent's level (1-5), as loans=4.")
@click.option("--telephone", help="Their own telephone, as +86...; without it the browser softphone.")
@click.option("--time-zone", default="UTC", show_default=True, help="IANA zone in which they see times.")
@click.password_option(help="At least 10 characters; asked for when left out.")
def add(
    login: str,
    name: str,
    role: str,
    team: str | None,
    speaks: tuple[str, ...],
    skills: tuple[str, ...],
    telephone: str | None,
    time_zone: str,
    password: str,
) -> None:
    """Add LOGIN, or change the name, role and password of the user there is."""
    if role == Role.AGENT and not team:
        raise BadInput("An agent needs --team.")
    levels = _levels(skills)
    if telephone is not None:
        telephone = _checked_number(telephone)
    with runtime_here() as runtime, runtime.unit_of_work() as session:
        now = runtime.clock()
        user = accounts.add_user(session, login, name, Role(role), password, now, time_zone, telephone)
        if role == Role.AGENT and team:
            routing.add_agent(session, user.id, team, now, telephone)
            _set_abilities(session, user, speaks, levels)
        accounts.record(session, None, "user.added", user.login, now, role=role)
    click.echo(f"{login} may sign in as {role}.")


def _levels(skills: tuple[str, ...]) -> dict[str, int]:
    """Read loans=4; raises BadInput."""
    found = {}
    for one in skills:
        key, _, level = one.partition("=")
        if not (level.isascii() and level.isdigit()):
            raise BadInput("--skill is a skill's key and a level from 1 to 5, as loans=4.")
        found[key] = int(level)
    return found


def _set_abilities(session: Session, user: User, speaks: tuple[str, ...], levels: dict[str, int]) -> None:
    """Set what was given; what was left out stays as it is."""
    agent = routing.lock_agent(session, user.id)
    languages = speaks or tuple(agent.languages.split(","))
    routing_people.set_abilities(session, agent, languages, levels or agent.skills)


def _checked_number(raw: str) -> str:
    from callcenter.intake.profiles import read_number

    number = read_number(raw)
    if number is None:
        raise BadInput("--telephone is not a valid number in international form (+86...).")
    return number


@users.command("list")
def list_users() -> None:
    """List who may sign in, and what each agent brings."""
    with runtime_here() as runtime, runtime.reading() as session:
        agents = {one.id: one for one in session.exec(select(Agent))}
        for user in session.exec(select(User).order_by(col(User.login))):
            state = "active" if user.is_active else "off"
            click.echo(f"{user.login:20} {user.role:12} {state:7} {_brings(agents.get(user.id))}".rstrip())


def _brings(agent: Agent | None) -> str:
    if agent is None:
        return ""
    held = " ".join(f"{key}={level}" for key, level in agent.skills.items())
    return f"{agent.team} [{agent.languages}] {held}"


@users.command("switch")
@click.argument("login")
@click.argument("state", type=click.Choice(["on", "off"]))
def switch(login: str, state: str) -> None:
    """Let LOGIN sign in again (on), or not any more (off)."""
    with runtime_here() as runtime, runtime.unit_of_work() as session:
        user = accounts.user_of(session, login)
        if user is None:
            raise NotFound(f"Nobody signs in as {login}.")
        people.switch_person(session, user.id, None, runtime.clock(), active=state == "on")
    click.echo(f"{login} may sign in again." if state == "on" else f"{login} may not sign in any more.")


@users.command("team")
@click.argument("name")
@click.option("--approval/--no-approval", default=False, help="Whether a supervisor approves transfers.")
def team(name: str, approval: bool) -> None:
    """Add team NAME, or set whether a supervisor approves the call tasks its agents hand over."""
    with runtime_here() as runtime, runtime.unit_of_work() as session:
        now = runtime.clock()
        if all(one.name != name for one in routing_queries.teams(session)):
            people.add_team(session, name, None, now)
        people.set_team(session, name, None, now, transfers_need_approval=approval)
    click.echo(f"{name}: transfers {'wait for a supervisor' if approval else 'go at once'}.")


@users.command("skill")
@click.argument("key")
@click.argument("name")
@click.argument("name_zh")
def skill(key: str, name: str, name_zh: str) -> None:
    """Add the skill KEY, or name it anew: NAME in English, NAME_ZH in Chinese."""
    with runtime_here() as runtime, runtime.unit_of_work() as session:
        people.put_skill(session, key, (name, name_zh), None, runtime.clock())
    click.echo(f"Skill {key}: {name}, {name_zh}.")
