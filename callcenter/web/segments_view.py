"""Segments and tags of agents in the viewer's words; customers are shown masked."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import func
from sqlmodel import Session, col, select

from callcenter import segmenting
from callcenter.models import Customer, Segment
from callcenter.segments import queries
from callcenter.segments.in_words import segment_in_words
from callcenter.segments.policy import SAMPLE
from callcenter.segments.rules import Known
from callcenter.web.edge import chosen, frame, language
from callcenter.web.formats import label
from callcenter.web.pages import segments as page
from callcenter.web.segment_form import EMPTY, form_page, typed_of
from callcenter.web.words import mask_number, place_of

PATH = "/studio/segments"
_HIDDEN = "•••"


def segments_page(
    session: Session, values: Mapping[str, str] | None = None, error: str | None = None
) -> page.SegmentsPage:
    """Return all segments with their sizes, and the tags agents may give."""
    known, of = segmenting.known_here(session), customers_known(session)
    used = queries.tags_in_use(session)
    return page.SegmentsPage(
        frame=frame("segments"),
        rows=tuple(_row(one, known, of) for one in queries.segments(session)),
        tags=tuple(
            page.TagRow(one.code, chosen(one.label, one.code), used.get(one.code, 0), one.is_active)
            for one in queries.agent_tags(session, active_only=False)
            if one.is_active or used.get(one.code)
        ),
        values=values,
        error=error,
    )


def customers_known(session: Session) -> int:
    """Count the customers whom the bank knows by an id of its own: what a segment is a share of."""
    wanted = select(func.count()).select_from(Customer).where(col(Customer.external_id).is_not(None))
    return session.exec(wanted.where(col(Customer.erased_at).is_(None))).one()


def _row(one: Segment, known: Known, of: int) -> page.SegmentRow:
    spec = segmenting.spec_of(one, known)
    return page.SegmentRow(
        key=one.key,
        label=chosen(one.title, one.key),
        words=segment_in_words(spec, known, language()) if spec else "",
        href=f"{PATH}/{one.key}",
        size=one.size,
        of=of,
        computed_at=one.computed_at,
        took_ms=one.took_ms,
        trouble=one.trouble,
        is_settled=one.is_settled,
    )


def new_segment_page(
    session: Session, typed: tuple[dict[str, str], list[dict[str, str]]] | None = None, **more: Any
) -> page.SegmentPage:
    """Return the form for a new segment, as typed so far."""
    values, rows = typed or ({"key": "", "title.en": "", "title.zh": "", "joined": "all"}, [dict(EMPTY)])
    known = segmenting.known_here(session)
    return page.SegmentPage(
        frame("segments"), form_page(values, rows, known, more.pop("problems", {}), **more)
    )


def segment_page(
    session: Session,
    row: Segment,
    typed: tuple[dict[str, str], list[dict[str, str]]] | None = None,
    **more: Any,
) -> page.SegmentPage:
    """Return one segment with its form, some of its customers, and the rules that speak of it."""
    known = segmenting.known_here(session)
    values, rows = typed or typed_of(row.key, row.title, row.definition)
    return page.SegmentPage(
        frame("segments"),
        form_page({**values, "key": row.key}, rows, known, more.pop("problems", {}), **more),
        _row(row, known, customers_known(session)),
        tuple(member(one) for one in queries.sample_of(session, row.key, SAMPLE)),
        tuple(queries.rules_using(session, row.key)),
    )


def member(customer: Customer) -> page.Member:
    """Show a customer so that nobody can tell who it is."""
    name = (customer.name or "").strip()
    return page.Member(
        name=f"{name[:1]}{_HIDDEN}" if name else _HIDDEN,
        number=mask_number(customer.number),
        place=place_of(customer),
        language=label(customer.language),
    )
