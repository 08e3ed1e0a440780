"""`callcenter users`: add and list the people who sign in."""

import click
from sqlmodel import col, select

from callcenter.accounts import service as accounts
from callcenter.commands.here import runtime_here
from callcenter.domain.enums import Role
from callcenter.errors import BadInput
from callcenter.models import User
from callcenter.routing import service as routing


@click.group("users")
def users() -> None:
    """Add and list the people who sign in."""


@users.command("add")
@click.argument("login")
@click.option("--name", required=True, help="As others see it, and as agents say it on the telephone.")
@click.option("--role", type=click.Choice([role.value for role in Role]), required=True)
@click.option("--team", help="An agent's team.")
@click.option("--telephone", help="Their own telephone, as +86...; without it the browser softphone.")
@click.option("--time-zone", default="UTC", show_default=True, help="IANA zone in which they see times.")
@click.password_option(help="At least 10 characters; asked for when left out.")
def add(
    login: str, name: str, role: str, team: str | None, telephone: str | None, time_zone: str, password: str
) -> None:
    """Add LOGIN, or change the name, role and password of the user there is."""
    if role == Role.AGENT and not team:
        raise BadInput("An agent needs --team.")
    if telephone is not None:
        telephone = _checked_number(telephone)
    with runtime_here() as runtime, runtime.unit_of_work() as session:
        now = runtime.clock()
        user = accounts.add_user(session, login, name, Role(role), password, now, time_zone, telephone)
        if role == Role.AGENT and team:
            routing.add_agent(session, user.id, team, now, telephone)
        accounts.record(session, None, "user.added", user.login, now, role=role)
    click.echo(f"{login} may sign in as {role}.")


def _checked_number(raw: str) -> str:
    from callcenter.intake.profiles import read_number

    number = read_number(raw)
    if number is None:
        raise BadInput("--telephone is not a valid number in international form (+86...).")
    return number


@users.command("list")
def list_users() -> None:
    """List who may sign in."""
    with runtime_here() as runtime, runtime.reading() as session:
        for user in session.exec(select(User).order_by(col(User.login))):
            click.echo(f"{user.login:20} {user.role:12} {'active' if user.is_active else 'off'}")
