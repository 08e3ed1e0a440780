"""Call tasks handed over, in the viewer's words: the form, the agent's own, and those a supervisor decides on."""

from collections.abc import Iterator, Mapping
from uuid import UUID

from flask_babel import gettext
from sqlmodel import Session

from callcenter.domain.enums import TransferReason, TransferState
from callcenter.domain.handing_over import TransferWish
from callcenter.errors import BadInput
from callcenter.models import Agent, CallTask, Reservation
from callcenter.reporting.transfers import (
    TransferNow,
    colleagues,
    transfer_to_here,
    transfers_asked,
    transfers_of,
)
from callcenter.routing.queries import teams
from callcenter.web.formats import label, time_of_day
from callcenter.web.offer_words import skill_names, why_agent, why_relaxed, why_task
from callcenter.web.pages import handing_over as page
from callcenter.web.pages.floor import Need

_OPEN = (TransferState.ASKED, TransferState.ON_ITS_WAY)


def hand_over_form(session: Session, agent: Agent) -> page.HandOverForm:
    """Return to whom an agent may hand a call task over, and why."""
    known = teams(session)
    own = next((one for one in known if one.name == agent.team), None)
    return page.HandOverForm(
        teams=tuple(page.Receiver(f"team:{one.name}", one.name) for one in known if one.name != agent.team),
        colleagues=tuple(
            page.Receiver(
                f"agent:{one.id}",
                f"{one.name}, {one.team}",
                one.work_state if one.presence == "available" else one.presence,
            )
            for one in colleagues(session, agent.id)
        ),
        reasons=tuple(TransferReason),
        needs_approval=own is not None and own.transfers_need_approval,
    )


def read_wish(form: Mapping[str, str]) -> TransferWish:
    """Read to whom and why from the form; raises BadInput that says what to choose."""
    kind, _, whom = form.get("pass_to", "").partition(":")
    try:
        agent_id = UUID(whom) if kind == "agent" else None
        reason = TransferReason(form.get("pass_reason", ""))
    except ValueError:
        raise BadInput("Choose who takes the call task over, and say why.") from None
    team = whom if kind == "team" else None
    return TransferWish(reason, agent_id, team, " ".join(form.get("pass_note", "").split())).checked()


def wants_to_pass_on(form: Mapping[str, str]) -> bool:
    """Whether a wrap-up names somebody to go on with the customer."""
    return bool(form.get("pass_to"))


def handed_over(session: Session, agent_id: UUID) -> tuple[page.HandedOver, ...]:
    """Return what an agent has handed over: on its way, or ended and not noted."""
    return tuple(_own(one) for one in transfers_of(session, agent_id))


def _own(one: TransferNow) -> page.HandedOver:
    is_open = one.state in _OPEN and one.ended_at is None
    tone = "good" if one.state is TransferState.TAKEN else "plain" if is_open else "warn"
    return page.HandedOver(
        id=str(one.id),
        customer=one.customer or gettext("Unknown name"),
        to=one.receiver or one.to_team or "",
        reason=label(one.reason),
        text=_state_words(one),
        tone=tone,
        asked_at=one.asked_at,
        until=one.expires_at if is_open else None,
        may_take_back=is_open and one.task_state == "pending",
    )


def _state_words(one: TransferNow) -> str:
    to = one.receiver or one.to_team or ""
    back = gettext("It is yours again.")
    words = {
        TransferState.ASKED: gettext("Waits for your supervisor's word."),
        TransferState.ON_ITS_WAY: gettext("Waits for %(to)s.", to=to),
        TransferState.TAKEN: gettext("%(name)s has taken it.", name=one.taken_by or to),
        TransferState.DECLINED: gettext(
            "%(name)s said no: “%(answer)s”", name=one.decided_by or gettext("Somebody"), answer=one.answer
        )
        + " "
        + back,
        TransferState.TURNED_DOWN: gettext("%(to)s did not take it.", to=to) + " " + back,
        TransferState.UNANSWERED: gettext("Nobody answered in time.") + " " + back,
        TransferState.UNDECIDED: gettext("No supervisor decided in time.") + " " + back,
        TransferState.TAKEN_BACK: gettext("You took it back."),
        TransferState.OVERTAKEN: gettext(
            "The call task has ended meanwhile, or a supervisor gave it to somebody else."
        ),
    }
    return words[one.state]


def offer_why(session: Session, task: CallTask, offer: Reservation | None) -> page.OfferWhy | None:
    """Say why this agent is offered this call task; None where nothing was kept of it."""
    if offer is None or not offer.why:
        return None
    names = skill_names(session)
    came = transfer_to_here(session, task.id) if offer.why.get("way") == "handed_over" else None
    return page.OfferWhy(
        agent=why_agent(offer.why, names),
        task=why_task(offer.why),
        relaxed=why_relaxed(offer.why, names),
        from_whom=gettext("From %(name)s: %(reason)s.", name=came.giver, reason=label(came.reason))
        if came
        else None,
        note=came.note if came else "",
    )


def transfer_needs(session: Session) -> Iterator[Need]:
    """Yield a need for each call task that waits for a supervisor's word before it is handed over."""
    for one in transfers_asked(session):
        to, reason = one.receiver or one.to_team or "", label(one.reason)
        text = gettext(
            "%(customer)s, to %(to)s: %(reason)s.",
            customer=one.customer or gettext("Unknown name"),
            to=to,
            reason=reason,
        )
        if one.note:
            text += " " + gettext("“%(note)s”", note=one.note)
        text += " " + gettext("Goes back to them at %(time)s.", time=time_of_day(one.expires_at))
        yield Need(
            id=f"transfer-{one.id}",
            kind="transfer",
            tone="watch",
            title=gettext("%(name)s hands a call task over", name=one.giver),
            text=text,
            since=one.asked_at,
            transfer_id=str(one.id),
        )
