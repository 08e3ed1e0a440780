"""What would the gate say? A call nobody places, judged as it would be, with everything the answer rests on."""

from collections.abc import Mapping
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from flask_babel import gettext
from sqlmodel import Session

from callcenter.compliance.changes import book_with
from callcenter.compliance.explaining import Explanation, explain
from callcenter.compliance.hours import are_open
from callcenter.compliance.packs import PackBook
from callcenter.compliance.packs_words import NAMES
from callcenter.compliance.policies import look
from callcenter.compliance.queries import Callee, ProposedCall, Stranger
from callcenter.domain.enums import BarReason, Purpose
from callcenter.errors import BadInput, NotFound
from callcenter.web.bars import LIFTED_BY_PEOPLE, bar_help, bar_label
from callcenter.web.compliance_frame import campaign_titles, gate, gate_frame
from callcenter.web.compliance_ledgers import find_customer, read_number
from callcenter.web.compliance_packs import about_words
from callcenter.web.compliance_words import figure_words, listed, pack_title, word
from callcenter.web.counts import ngettext
from callcenter.web.edge import zone
from callcenter.web.formats import day, not_before, utc_offset
from callcenter.web.pages import compliance as page

Place = tuple[ZoneInfo, str]
"""A zone, and what the place is called."""
ASKED = ("who", "purpose", "campaign", "at")


def what_if_page(session: Session, asked: Mapping[str, str] | None, now: datetime) -> page.WhatIfPage:
    """Return the form, and the answer when something is asked. Nothing of it is kept."""
    head, tabs = gate_frame(session, "what_if")
    typed = {name: (asked or {}).get(name, "").strip() for name in ASKED}
    typed["purpose"] = typed["purpose"] or Purpose.SERVICE.value
    titles = campaign_titles(session)
    blank = page.WhatIfPage(
        head,
        tabs,
        typed,
        purposes=tuple(page.Option(one.value, word("purpose", one)) for one in Purpose),
        campaigns=tuple(page.Option(key, title) for key, title in titles.items()),
    )
    if asked is None:
        return blank
    try:
        answer, problem = _answer(session, typed, titles, now), None
    except (BadInput, NotFound) as error:
        answer, problem = None, gettext(error.message)
    return page.WhatIfPage(head, tabs, typed, blank.purposes, blank.campaigns, answer=answer, problem=problem)


def _answer(
    session: Session, typed: Mapping[str, str], titles: Mapping[str, str], now: datetime
) -> page.Answer:
    try:
        purpose = Purpose(typed["purpose"])
    except ValueError:
        raise BadInput("Choose a purpose.") from None
    if typed["campaign"] and typed["campaign"] not in titles:
        raise BadInput("Choose one of the campaigns shown, or none.")
    at = _moment(typed["at"], now)
    customer = _whom(session, typed["who"])
    call = ProposedCall(customer, purpose, typed["campaign"])
    ((facts, _),) = look(session, gate(), [call], at)
    book = book_with(session, gate().home_packs)
    told = explain(book, facts, at)
    place = _place(customer, told)
    return page.Answer(
        may_call=told.verdict.may_call,
        headline=_headline(told, place),
        reasons=tuple((bar_label(code), bar_help(code)) for code in told.verdict.reasons),
        zones=tuple(_zone(told, one) for one in facts.time_zones),
        regions=listed(sorted(facts.regions)) or gettext("not known"),
        number_kind=word("number_kind", facts.number_kind) or gettext("none that can be called"),
        packs=tuple(f"{pack_title(one.title, one.pack)} ({one.label})" for one in told.versions)
        or tuple(gettext("%(pack)s is not in force", pack=key) for key in told.missing_home),
        figures=_figures(book, told),
        next_at=_next(told, place),
    )


def _whom(session: Session, who: str) -> Callee:
    """Return the customer with this id of the bank's, or somebody of whom only a number is known."""
    if customer := find_customer(session, who):
        return customer
    number = read_number(who)
    if number is None:
        raise NotFound(
            "Give the bank's id of a customer, or a number in international form such as +86 138 0013 8000."
        )
    return Stranger(number)


def _moment(raw: str, now: datetime) -> datetime:
    if not raw:
        return now
    try:
        at = datetime.fromisoformat(raw)
        at = (at if at.tzinfo else at.replace(tzinfo=zone())).astimezone(UTC)
    except (ValueError, OverflowError):
        raise BadInput("Give a day and a time, or leave them out for now.") from None
    if at < now:
        if (now - at).total_seconds() < 60:
            return now
        raise BadInput("What was said in the past stands under “Decisions”. Give a moment to come.")
    return at


def _headline(told: Explanation, place: Place | None) -> str:
    verdict = told.verdict
    if verdict.may_call:
        return gettext("This call may be placed.")
    if (next_at := _lifts_at(told)) and place:
        return _not_before(told, next_at, place)
    if BarReason.NO_POLICY in verdict.reasons:
        return gettext("No call: no policy says when.")
    return ngettext("No call, for one reason.", "No call, for %(num)s reasons.", len(verdict.reasons))


def _lifts_at(told: Explanation) -> datetime | None:
    """When waiting is enough; None when somebody has to act, or nobody can tell."""
    is_lifted = LIFTED_BY_PEOPLE.intersection(told.verdict.reasons)
    return None if is_lifted else told.verdict.next_allowed_at


def _not_before(told: Explanation, at: datetime, place: Place) -> str:
    where, name = place
    return not_before(at, told.at, where, name)


def _place(callee: Callee, told: Explanation) -> Place | None:
    """Where times are told: in the customer's own zone and city, else in the first zone they may be in."""
    zones = told.facts.time_zones
    stated = next((one for one in zones if one.key == callee.time_zone), None)
    if stated is not None:
        return stated, str(getattr(callee, "city", None) or _city(stated))
    return (zones[0], _city(zones[0])) if zones else None


def _city(one: ZoneInfo) -> str:
    return one.key.rpartition("/")[2].replace("_", " ")


def _next(told: Explanation, place: Place | None) -> str | None:
    """When it may be asked again, or from when hours alone allow it though waiting does not help."""
    if told.verdict.may_call or _lifts_at(told) is not None:
        return None
    if told.open_at is not None and told.open_at > told.at and place:
        return gettext("By calling hours alone: %(when)s", when=_not_before(told, told.open_at, place))
    return gettext("Waiting alone does not help: somebody has to act.")


def _zone(told: Explanation, one: ZoneInfo) -> page.ZoneTime:
    local = told.at.astimezone(one)
    return page.ZoneTime(
        zone=f"{_city(one)}, {utc_offset(one, told.at)}",
        local=f"{day(local.date())} {local:%H:%M}",
        is_open=told.policy is not None and are_open(told.policy.hours, [one], told.at),
    )


def _figures(book: PackBook, told: Explanation) -> tuple[page.FigureRow, ...]:
    order = {name: place for place, name in enumerate(NAMES)}
    applied = book.figures(told.facts.regions, told.facts.purpose, told.at)
    applied = sorted(applied, key=lambda one: order[one.figure.name])
    return tuple(
        page.FigureRow(
            name=word("figure", one.figure.name),
            says=figure_words(one.figure.name, one.figure.value),
            about=about_words(one.figure),
            source=one.figure.source,
            note=one.figure.note,
            label=one.version.label,
            counts=said.counts,
        )
        for one, said in zip(applied, told.said, strict=True)
    )
