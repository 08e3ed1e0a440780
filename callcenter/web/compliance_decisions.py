"""The gate's answers, sieved and read one by one, and the table of them to be kept."""

import csv
import io
import json
from collections.abc import Mapping
from datetime import UTC, datetime, time, timedelta
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from flask_babel import gettext
from sqlmodel import Session

from callcenter.compliance import reads
from callcenter.compliance.reads import MOST_ROWS, PAGE, Sieve
from callcenter.domain.enums import BarReason, ScreeningPoint
from callcenter.errors import BadInput, NotFound
from callcenter.models import Customer, ScreeningDecision
from callcenter.web.bars import bar_help, bar_label
from callcenter.web.compliance_frame import campaign_titles, gate_frame, person_name
from callcenter.web.compliance_ledgers import find_customer
from callcenter.web.compliance_words import length, listed, word
from callcenter.web.counts import ngettext
from callcenter.web.edge import zone
from callcenter.web.formats import day, time_of_day
from callcenter.web.pages import compliance as page

ASKED = ("person", "task", "reason", "point", "said", "since", "until")
COLUMNS = (
    *("id", "asked_at", "for_at", "point", "customer_id", "call_task_id", "campaign", "purpose", "may_call"),
    *("reasons", "next_allowed_at", "policy_version", "facts"),
)


def decisions_page(session: Session, args: Mapping[str, str]) -> page.DecisionsPage:
    """Return a page of the gate's answers; what cannot be asked for is said beside the form."""
    head, tabs = gate_frame(session, "decisions")
    asked = {name: args[name].strip() for name in ASKED if args.get(name, "").strip()}
    reasons = tuple(page.Option(one.value, bar_label(one)) for one in BarReason)
    points = tuple(page.Option(one.value, word("point", one)) for one in ScreeningPoint)
    try:
        sieve = sieve_of(session, asked, args.get("before"))
        read = _chosen(session, args.get("decision"))
    except (BadInput, NotFound) as error:
        return page.DecisionsPage(head, tabs, asked, reasons, points, problem=gettext(error.message))
    rows = reads.decisions(session, sieve, PAGE + 1)
    shown = rows[:PAGE]
    here = {**asked, **({"before": args["before"]} if sieve.before_id else {})}
    people = reads.names_of(session, [one.customer_id for one in (*shown, *([read] if read else []))])
    titles = campaign_titles(session)
    return page.DecisionsPage(
        head,
        tabs,
        asked,
        reasons,
        points,
        rows=tuple(_row(one, people, titles, here, read) for one in shown),
        read=_row(read, people, titles, here, read) if read else None,
        helps=tuple(bar_help(code) for code in read.reasons) if read else (),
        facts=facts_in_words(read) if read else (),
        person_href=f"/compliance/people/{read.customer_id}" if read and read.customer_id in people else None,
        older_href=_href({**asked, "before": str(shown[-1].id)}) if len(rows) > PAGE else None,
        newest_href=_href(asked) if sieve.before_id else None,
        csv_href="/compliance/decisions.csv?" + urlencode(asked),
        close_href=_href(here),
        most_rows=MOST_ROWS,
    )


def _href(asked: Mapping[str, str]) -> str:
    return "/compliance/decisions" + ("?" + urlencode(asked) if asked else "")


def sieve_of(session: Session, asked: Mapping[str, str], before: str | None = None) -> Sieve:
    """Read what is asked for. Raises BadInput for what is none of its kind, NotFound for a person there is not."""
    customer = None
    if asked.get("person"):
        customer = find_customer(session, asked["person"])
        if customer is None:
            raise NotFound(
                "No customer with this id is known. Give the bank's own id, as the app reports it."
            )
    try:
        return Sieve(
            customer_id=customer.id if customer else None,
            call_task_id=UUID(asked["task"]) if asked.get("task") else None,
            reason=BarReason(asked["reason"]) if asked.get("reason") else None,
            point=ScreeningPoint(asked["point"]) if asked.get("point") else None,
            may_call={"yes": True, "no": False}[asked["said"]] if asked.get("said") else None,
            since=day_asked(asked.get("since")),
            until=day_asked(asked.get("until"), days=1),
            before_id=number_asked(before),
        )
    except (ValueError, KeyError, OverflowError):
        raise BadInput(
            "This cannot be looked for. Choose from the lists, and write days as 2026-11-27."
        ) from None


def day_asked(raw: str | None, days: int = 0) -> datetime | None:
    """Read a day as its midnight in the viewer's zone, or that of some days later. Raises ValueError."""
    if not raw:
        return None
    on = datetime.fromisoformat(raw).date() + timedelta(days=days)
    return datetime.combine(on, time(), zone()).astimezone(UTC)


def number_asked(raw: str | None) -> int | None:
    """Read a row's number. Raises ValueError."""
    if not raw:
        return None
    if not (raw.isascii() and raw.isdigit() and len(raw) <= 18):
        raise ValueError(raw)
    return int(raw)


def _chosen(session: Session, raw: str | None) -> ScreeningDecision | None:
    try:
        number = number_asked(raw)
    except ValueError:
        raise BadInput("That number is not one. Reload the page and try again.") from None
    if number is None:
        return None
    row = session.get(ScreeningDecision, number)
    if row is None:
        raise NotFound("There is no such decision; it may be past its keeping.")
    return row


def _row(
    one: ScreeningDecision,
    people: Mapping[UUID, Customer],
    titles: Mapping[str, str],
    here: Mapping[str, str],
    read: ScreeningDecision | None,
) -> page.DecisionRow:
    assert one.id is not None
    return page.DecisionRow(
        id=one.id,
        href=_href({**here, "decision": str(one.id)}),
        asked_at=one.asked_at,
        for_at=one.for_at,
        point=word("point", one.point),
        customer=person_name(people.get(one.customer_id)),
        campaign=titles.get(one.campaign, one.campaign or "–"),
        purpose=word("purpose", one.purpose),
        may_call=one.may_call,
        reasons=tuple(map(bar_label, one.reasons)),
        next_allowed_at=one.next_allowed_at,
        policy_version=one.policy_version,
        is_chosen=read is not None and read.id == one.id,
    )


def _moment(raw: Any) -> str:
    at = datetime.fromisoformat(str(raw))
    return f"{day(at)} {time_of_day(at)}"


def facts_in_words(one: ScreeningDecision) -> tuple[tuple[str, str], ...]:
    """Say what the gate knew when it answered, and the figures it held that against."""
    told = one.facts
    attempts = [len(told.get(name) or ()) for name in ("person_attempts_at", "number_attempts_at")]
    consents = [
        gettext("until %(time)s", time=_moment(until)) if until else gettext("without an end")
        for until in told.get("consents_until") or ()
    ]
    lines: list[tuple[str, str]] = [
        (
            gettext("Number"),
            word("number_kind", told.get("number_kind")) or gettext("none that can be called"),
        ),
        (gettext("Regions"), listed(told.get("regions") or ()) or gettext("not known")),
        (gettext("Zones"), listed(told.get("time_zones") or ()) or gettext("not known")),
        (
            gettext("Calls, 35 days"),
            gettext("%(n)s to the person, %(m)s to the number", n=attempts[0], m=attempts[1]),
        ),
        (
            gettext("Bars"),
            listed([word("kind", kind) for kind, *_ in told.get("suppressions") or ()]) or gettext("none"),
        ),
        (gettext("Consents"), listed(consents) or gettext("none")),
    ]
    for name, title in (("talked_at", gettext("Last talk")), ("abandoned_at", gettext("Last abandoned"))):
        if told.get(name):
            lines.append((title, _moment(told[name])))
    if told.get("is_frozen"):
        lines.append((gettext("Frozen"), gettext("until an incident is resolved")))
    if not told.get("is_agent_guaranteed", True):
        lines.append((gettext("Agent"), gettext("none waits for the answer")))
    return (*lines, *_figures(told.get("policy")))


def _figures(policy: Mapping[str, Any] | None) -> list[tuple[str, str]]:
    if not policy:
        return []
    caps = [
        ngettext(
            "at most %(num)s call in any %(span)s",
            "at most %(num)s calls in any %(span)s",
            calls,
            span=length(timedelta(seconds=seconds)),
        )
        for calls, seconds in policy.get("caps") or ()
    ]
    gap, pause = (
        timedelta(seconds=policy.get(name) or 0) for name in ("minimum_gap_s", "conversation_pause_s")
    )
    return [
        (word("figure", "caps"), listed(caps) or gettext("none")),
        (word("figure", "minimum_gap"), length(gap) if gap else gettext("none")),
        (word("figure", "conversation_pause"), length(pause) if pause else gettext("none")),
        (
            word("figure", "consent"),
            gettext("needed") if policy.get("needs_consent") else gettext("not needed"),
        ),
    ]


def decisions_table(session: Session, args: Mapping[str, str]) -> str:
    """Return the answers asked for as CSV, the latest first: ids and codes, no name and no number."""
    asked = {name: args[name].strip() for name in ASKED if args.get(name, "").strip()}
    out = io.StringIO()
    table = csv.writer(out)
    table.writerow(COLUMNS)
    for one in reads.decisions(session, sieve_of(session, asked), MOST_ROWS):
        table.writerow([_cell(getattr(one, name)) for name in COLUMNS])
    return out.getvalue()


def _cell(value: Any) -> str:
    """A value as text that no spreadsheet takes for a formula."""
    if value is None:
        return ""
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, list):
        return " ".join(map(str, value))
    if isinstance(value, dict):
        return json.dumps(value, ensure_ascii=False, sort_keys=True)
    text = str(value)
    return f"'{text}" if text.startswith(("=", "+", "-", "@", "\t", "\r")) else text
