"""`callcenter policy`: which rules a call falls under and why, which packs there are, and checks of a pack."""

import json
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import click
from rich.console import Console

from callcenter.commands import policy_words as words
from callcenter.commands.here import runtime_here
from callcenter.compliance.explaining import explain
from callcenter.compliance.numbers import kind_of, possible_zones, regions_of
from callcenter.compliance.packs import DEFAULT_PACK, PackBook, load_book
from callcenter.compliance.packs_reading import read_pack
from callcenter.compliance.policies import versions_here
from callcenter.domain.contact import CustomerFacts
from callcenter.domain.enums import Purpose
from callcenter.errors import BadInput
from callcenter.runtime import utc_now

_packs = click.option(
    "--packs",
    "home",
    envvar="POLICY_PACKS",
    default=DEFAULT_PACK,
    show_default=True,
    help="Packs that apply to every call, separated by commas.",
)
_at = click.option("--at", help="A moment with its offset, as 2026-12-25T10:00+01:00; now when left out.")
_here = click.option(
    "--here", is_flag=True, help="Read the database for pack versions put in force here, too."
)
_json = click.option("--json", "as_json", is_flag=True, help="One JSON object instead of words.")


@click.group("policy")
def policy() -> None:
    """Explain the rules on calls. Works without a database."""


@policy.command("explain")
@_at
@click.option("--number", required=True, help="As +49...; it is not written down anywhere.")
@click.option("--purpose", type=click.Choice([one.value for one in Purpose]), required=True)
@click.option("--zone", help="The customer's own zone, where it is known, as Europe/Berlin.")
@click.option("--country", help="The country of their address, as DE or US-FL.")
@click.option("--campaign", default="", help="The campaign the call belongs to.")
@_packs
@_here
@_json
def explain_command(
    at: str | None,
    number: str,
    purpose: str,
    zone: str | None,
    country: str | None,
    campaign: str,
    home: str,
    here: bool,
    as_json: bool,
) -> None:
    """Tell which packs and figures a call falls under, the gate's answer with all reasons, and from when.

    Works from the number alone: lists, consents, attempts and campaigns are in the database and are not
    looked up, so that a call which needs consent is barred here.
    """
    number = "".join(number.split())
    facts = _facts(number, Purpose(purpose), zone, country, campaign)
    told = explain(_book(home, here), facts, _moment(at))
    if as_json:
        click.echo(json.dumps(words.as_document(told, here), ensure_ascii=False, indent=2))
    else:
        words.print_explanation(Console(highlight=False, soft_wrap=True), told, here)


def _facts(
    number: str, purpose: Purpose, zone: str | None, country: str | None, campaign: str
) -> CustomerFacts:
    state = None
    if country is not None:
        country, _, state = country.upper().partition("-")
        if len(country) != 2 or not country.isalpha():
            raise BadInput("--country must be such as DE or US-FL.")
    if zone is not None:
        try:
            ZoneInfo(zone)
        except (KeyError, ValueError, OSError):
            raise BadInput("--zone is no time zone; write one such as Europe/Berlin.") from None
    return CustomerFacts(
        number=number,
        number_kind=kind_of(number),
        regions=regions_of(number, country, state or None),
        time_zones=possible_zones(zone, number, country),
        purpose=purpose,
        campaign=campaign,
    )


def _moment(at: str | None) -> datetime:
    if at is None:
        return utc_now()
    try:
        moment = datetime.fromisoformat(at)
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is None:
        raise BadInput("--at must be a moment with its offset, such as 2026-12-25T10:00+01:00.")
    return moment


def _book(home: str, here: bool) -> PackBook:
    keys = [key.strip() for key in home.split(",") if key.strip()]
    if not here:
        return load_book(keys)
    with runtime_here() as runtime, runtime.reading() as session:
        return load_book(keys, versions_here(session))


@policy.command("packs")
@_at
@_packs
@_here
@_json
def packs_command(at: str | None, home: str, here: bool, as_json: bool) -> None:
    """List the packs: what is in force, and what will change when."""
    book, moment = _book(home, here), _moment(at)
    if as_json:
        click.echo(json.dumps(words.packs_document(book, moment), ensure_ascii=False, indent=2))
    else:
        words.print_packs(Console(highlight=False), book, moment)


@policy.command("check")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
def check_command(file: Path) -> None:
    """Check a pack FILE: says what is wrong and on which line, and what its versions change. Exit code 2 if so."""
    try:
        text = file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise BadInput(f"{file}: cannot be read ({type(error).__name__})") from None
    versions = read_pack(text, str(file))
    key = versions[0].pack
    shipped = load_book([])
    book = load_book([key], [(key, text)])
    words.print_check(Console(highlight=False, soft_wrap=True), versions, shipped, book)
