"""What a source sent amiss: the reasons, the events, and one of them in full."""

from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from sqlmodel import Session

from callcenter.domain.enums import QuarantineState
from callcenter.errors import BadInput, NotFound
from callcenter.intake import inspector
from callcenter.intake.quarantine import may_be_redriven
from callcenter.intake.schema import masked_text
from callcenter.models import QuarantinedEvent
from callcenter.web.inspector_view import json_lines
from callcenter.web.pages import sources as page
from callcenter.web.reasons import reason_advice, reason_label

SHOWN_REFUSED = 100
_BEGINNING = 300


def rejected_tab(
    session: Session,
    source_id: UUID,
    href: str,
    reasons: Sequence[inspector.Refused],
    chosen: Mapping[str, str],
) -> dict[str, object]:
    """Return the open reasons, the last refused events of the chosen one or of all, and one event in full."""
    code = chosen.get("code")
    if code is not None and not code.isidentifier():
        raise NotFound("There is no such reason.")
    rows = inspector.refused_events(session, source_id, code=code, limit=SHOWN_REFUSED)
    hopeless = {one.code for one in rows} - {one.code for one in rows if may_be_redriven(one.body)}
    read = _read(session, source_id, href, chosen["refused"], code) if "refused" in chosen else None
    return {
        "code": code,
        "reasons": tuple(_reason(one, href, code, hopeless) for one in reasons),
        "refused": tuple(_row(one, href, code, read.row.id if read else None) for one in rows),
        "read": read,
    }


def _reason(one: inspector.Refused, href: str, code: str | None, hopeless: set[str]) -> page.ReasonRow:
    return page.ReasonRow(
        code=one.code,
        label=reason_label(one.code),
        advice=reason_advice(one.code) or one.message,
        many=one.many,
        last_at=one.last_at,
        href=f"{href}?{urlencode({'show': 'rejected'} | ({} if one.code == code else {'code': one.code}))}",
        is_chosen=one.code == code,
        may_redrive=one.code not in hopeless,
    )


def _row(one: QuarantinedEvent, href: str, code: str | None, chosen_id: int | None) -> page.RefusedRow:
    assert one.id is not None
    query = {"show": "rejected", **({"code": code} if code else {}), "refused": str(one.id)}
    return page.RefusedRow(
        id=one.id,
        href=f"{href}?{urlencode(query)}",
        at=one.received_at,
        reason=reason_label(one.code),
        message=one.message,
        beginning=_beginning(one.raw),
        is_chosen=one.id == chosen_id,
    )


def _beginning(raw: Any) -> str:
    text = str(raw.get("text", "")) if isinstance(raw, dict) else ""
    return masked_text(text[:_BEGINNING])


def _read(session: Session, source_id: UUID, href: str, row_id: str, code: str | None) -> page.ReadRefused:
    if not row_id.isdigit() or len(row_id) > 18:
        raise BadInput("That number is not one. Reload the page and try again.")
    one, by = inspector.refused_event(session, int(row_id))
    if one.source_id != source_id:
        raise NotFound("There is no such refused event.")
    return page.ReadRefused(
        row=_row(one, href, code, one.id),
        code=one.code,
        body=json_lines(one.body) or _beginning(one.raw),
        is_whole=one.body is not None,
        may_redrive=one.state == QuarantineState.OPEN and may_be_redriven(one.body),
        advice=reason_advice(one.code),
        state=one.state,
        state_at=one.state_at,
        state_by=by,
    )
