"""The audit trail in words: who did what to what, sieved by kind of act, person and period."""

import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from flask_babel import gettext
from flask_babel import lazy_gettext as _l
from sqlmodel import Session, col, select

from callcenter.errors import BadInput
from callcenter.models import AuditEntry, User
from callcenter.reporting.trail import PAGE, TrailSieve, acts
from callcenter.web.compliance_decisions import day_asked, number_asked
from callcenter.web.compliance_frame import gate_frame
from callcenter.web.pages import compliance as page

FAMILIES: Mapping[str, Any] = {
    "change": _l("Changes and decisions"),
    "suppression": _l("Bars"),
    "consent": _l("Consents"),
    "campaign": _l("Campaigns"),
    "dialing": _l("Automatic dialing"),
    "clock": _l("The clock"),
    "evidence": _l("Exports"),
    "ledger": _l("Keeping of the ledgers"),
    "customer": _l("Erasure"),
    "rule": _l("Rules"),
    "people": _l("Looks at people"),
    "source": _l("Sources"),
    "quarantine": _l("Refused events"),
    "watch": _l("Listening in"),
    "tasks": _l("Acts on many call tasks"),
    "alert": _l("Alerts"),
    "wallboard": _l("Wallboard"),
    "agent": _l("Agents"),
    "callback": _l("Callbacks"),
    "follow_up": _l("Follow-ups"),
    "help": _l("Requests for help"),
    "transfer": _l("Call tasks handed over"),
    "person": _l("People"),
    "team": _l("Teams"),
    "skill": _l("Skills"),
    "call": _l("Calls"),
    "incident": _l("Incidents"),
    "user": _l("Users"),
    "journey": _l("Journeys"),
    "dispositions": _l("Dispositions"),
}
_ACTS: Mapping[str, Any] = {
    "change.proposed": _l("asked for a change"),
    "change.approved": _l("approved a change"),
    "change.refused": _l("refused a change"),
    "suppression.added": _l("added a bar"),
    "consent.withdrawn": _l("kept a withdrawal"),
    "campaign.paused": _l("paused a campaign"),
    "campaign.resumed": _l("let a campaign go on"),
    "campaign.hours": _l("set a campaign's hours"),
    "campaign.set": _l("set how a campaign is dialed"),
    "dialing.allowed": _l("switched automatic dialing on"),
    "dialing.stopped": _l("switched automatic dialing off"),
    "clock.confirmed": _l("confirmed the clock"),
    "evidence.exported": _l("exported evidence"),
    "ledger.kept": _l("wrote the chain's head down"),
    "ledger.verified": _l("verified the chain"),
    "ledger.past_keeping": _l("removed what is past its keeping"),
    "customer.erased": _l("erased a customer"),
    "user.signed_in": _l("signed in"),
    "user.added": _l("added a user"),
    "agent.freed": _l("freed an agent"),
    "agent.set": _l("set an agent's state"),
    "tasks.assigned": _l("assigned call tasks"),
    "tasks.brought_back": _l("brought call tasks back"),
    "tasks.priority_up": _l("raised the priority of call tasks"),
    "tasks.priority_down": _l("lowered the priority of call tasks"),
    "tasks.expired": _l("let call tasks expire"),
    "tasks.restored": _l("undid an act on call tasks"),
    "alert.acknowledged": _l("took an alert"),
    "alert.thresholds": _l("set a team's thresholds"),
    "wallboard.linked": _l("made a link to the wallboard"),
    "wallboard.revoked": _l("revoked a link to the wallboard"),
    "watch.begun": _l("began to listen in"),
    "watch.changed": _l("changed how they listen in"),
    "watch.left": _l("left a call"),
    "call.transferred": _l("transferred a call"),
    "call.rescued": _l("rescued a call"),
    "callback.moved": _l("moved a callback"),
    "callback.released": _l("handed a callback over to anyone"),
    "callback.taken": _l("took a callback on"),
    "callback.canceled": _l("canceled a callback"),
    "callback.noted": _l("noted a lost callback"),
    "follow_up.noted": _l("noted a follow-up"),
    "follow_up.changed": _l("changed a follow-up"),
    "follow_up.closed": _l("closed a follow-up"),
    "follow_up.reopened": _l("opened a follow-up again"),
    "offer.granted": _l("granted an offer"),
    "offer.taken_back": _l("took an offer back"),
    "offer.added": _l("added an offer to the catalog"),
    "offer.changed": _l("changed an offer"),
    "offer.ended": _l("ended an offer"),
    "offer.resumed": _l("let an offer run again"),
    "transfer.asked": _l("asked to hand a call task over"),
    "transfer.sent": _l("handed a call task over"),
    "transfer.approved": _l("let a call task be handed over"),
    "transfer.declined": _l("declined a transfer"),
    "transfer.taken_back": _l("took a transfer back"),
    "transfer.ended": _l("ended a transfer"),
    "person.added": _l("added a person"),
    "person.changed": _l("changed a person"),
    "person.deactivated": _l("deactivated a person"),
    "person.activated": _l("activated a person"),
    "team.added": _l("added a team"),
    "team.changed": _l("changed a team"),
    "skill.put": _l("named a skill"),
    "skill.switched": _l("switched a skill"),
    "help.asked": _l("asked for help"),
    "help.lowered": _l("took their hand down"),
    "help.acknowledged": _l("saw a request for help"),
    "help.closed": _l("closed a request for help"),
    "incident.resolved": _l("resolved an incident"),
    "people.listed": _l("listed the people behind a number"),
    "people.viewed": _l("looked at a customer's story"),
    "rule.drafted": _l("began a draft of a rule"),
    "rule.draft_saved": _l("saved a draft of a rule"),
    "rule.submitted": _l("sent a rule for review"),
    "rule.sent_back": _l("sent a rule back"),
    "rule.discarded": _l("gave a draft up"),
    "rule.published": _l("published a rule"),
    "rule.adopted": _l("adopted a rule"),
    "rule.paused": _l("paused a rule"),
    "rule.resumed": _l("resumed a rule"),
    "rule.retired": _l("retired a rule"),
    "source.added": _l("added a source"),
    "source.keyed": _l("made a write key"),
    "source.key_ended": _l("ended a write key"),
    "source.changed": _l("changed a source"),
    "source.enabled": _l("switched a source on"),
    "source.disabled": _l("switched a source off"),
    "quarantine.redriven": _l("took refused events in again"),
    "quarantine.dismissed": _l("dismissed refused events"),
    "journey.loaded": _l("loaded a journey"),
    "dispositions.loaded": _l("loaded dispositions"),
}
ASKED = ("family", "by", "since", "until")
SYSTEM = "system"
_LONGEST = 60


def trail_page(session: Session, args: Mapping[str, str]) -> page.TrailPage:
    """Return a page of the audit trail, the latest first."""
    head, tabs = gate_frame(session, "trail")
    asked = {name: args[name].strip() for name in ASKED if args.get(name, "").strip()}
    families = tuple(page.Option(code, str(words)) for code, words in FAMILIES.items())
    users = session.exec(select(User).order_by(col(User.name)))
    people = (
        *(page.Option(str(one.id), one.name) for one in users),
        page.Option(SYSTEM, gettext("Nobody: command line and clock")),
    )
    try:
        sieve = TrailSieve(
            family=asked.get("family"),
            by=UUID(asked["by"]) if asked.get("by") not in (None, SYSTEM) else None,
            by_nobody=asked.get("by") == SYSTEM,
            since=day_asked(asked.get("since")),
            until=day_asked(asked.get("until"), days=1),
            before_id=number_asked(args.get("before")),
        )
        if sieve.family is not None and sieve.family not in FAMILIES:
            raise ValueError(sieve.family)
    except (ValueError, OverflowError):
        problem = BadInput("This cannot be looked for. Choose from the lists, and write days as 2026-11-27.")
        return page.TrailPage(head, tabs, asked, families, people, problem=gettext(problem.message))
    found = acts(session, sieve, PAGE + 1)
    shown = found[:PAGE]
    older = urlencode({**asked, "before": str(shown[-1][0].id)}) if len(found) > PAGE else None
    return page.TrailPage(
        head,
        tabs,
        asked,
        families,
        people,
        rows=tuple(_row(entry, name) for entry, name in shown),
        older_href=f"/compliance/audit?{older}" if older else None,
    )


_OF_PEOPLE = ("customer.", "consent.", "people.viewed")
"""Acts whose subject is a customer, by their id alone; entries of before have the word customer before it."""
_ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


def _row(entry: AuditEntry, name: str | None) -> page.TrailRow:
    known = _ACTS.get(entry.act)
    words = str(known) if known is not None else entry.act.replace(".", ": ").replace("_", " ")
    by = name or gettext("Command line or clock")
    return page.TrailRow(entry.at, by, words, entry.subject, _detail(entry.detail), _href(entry))


def _href(entry: AuditEntry) -> str | None:
    """Where what the act was on can be read: the change, or the customer's ledgers."""
    if entry.act.startswith("change.") and entry.detail.get("change"):
        return f"/compliance/changes/{entry.detail['change']}"
    about_a_person = entry.subject.startswith("customer ") or entry.act.startswith(_OF_PEOPLE)
    subject = entry.subject.removeprefix("customer ")
    return f"/compliance/people/{subject}" if about_a_person and _ID.fullmatch(subject) else None


def _detail(detail: Mapping[str, Any]) -> str:
    told = (
        f"{name.replace('_', ' ')} {_short(value)}"
        for name, value in detail.items()
        if value not in (None, "", [], {})
    )
    return " · ".join(told)


def _short(value: Any) -> str:
    text = "–".join(map(str, value)) if isinstance(value, list) else str(value)
    return text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"
