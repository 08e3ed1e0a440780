"""Lists that supervisors bring in, in the viewer's words, and their refused rows as a file."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from flask_babel import gettext
from flask_babel import lazy_gettext as _l
from sqlmodel import Session

from callcenter import list_acts
from callcenter.domain.enums import BarReason, Purpose
from callcenter.intake import call_lists
from callcenter.journeys.queries import journeys_loaded
from callcenter.models import ListImport
from callcenter.web.bars import bar_label
from callcenter.web.compliance_words import word
from callcenter.web.edge import chosen, language, viewer
from callcenter.web.floor_frame import part_frame
from callcenter.web.pages import lists as page
from callcenter.web.pages.compliance import Option
from callcenter.web.quality_words import user_names
from callcenter.web.words import step_words

SHOWN = 50
_FORESEEN = {
    list_acts.OPENS: _l("open a call task now"),
    list_acts.WAITS: _l("open a call task that waits for an allowed time"),
    list_acts.MERGES: _l("stay with the call task that is open for them"),
    list_acts.NO_STEP: _l("open nothing: they are on no step of the journey, and none is named"),
    list_acts.BARRED: _l("open nothing: the gate bars the call"),
}
_REFUSED = {
    "duplicate": _l("The same customer stands further up in the list."),
    "bad_cell": _l("A cell is far too long, or holds what is no text."),
    "no_external_id": _l("external_id is empty or too long."),
    "invalid_phone": _l("phone is no valid number in international form (+86…)."),
    "unknown_time_zone": _l("time_zone is no zone such as Asia/Shanghai."),
    "reason_too_long": _l("reason is too long: at most 200 letters."),
    "bad_priority": _l("priority is a whole number from 0 to 100."),
    "unknown_step": _l("step is none of the journey's to call about."),
    "open_task_exists": _l("A call task is open for them already; it stays as it is."),
    "barred": _l("The gate bars the call."),
    "bad_input": _l("They are on no step of the journey, and none is named."),
    "not_opened": _l("The call task could not be opened."),
}


FILES = {
    "empty": _l("The file is empty. Choose a CSV or XLSX file with a row for each customer."),
    "too_large": _l("The file is too large: at most 3 MB. Split it and bring in the parts."),
    "encrypted_or_old": _l(
        "An old or password-protected Office file. Save it as XLSX or CSV without a password."
    ),
    "wrong_type": _l("This is neither CSV nor XLSX. Save the list as one of them."),
    "bad_encoding": _l("The text is not UTF-8. Save it as CSV in UTF-8, or as XLSX."),
    "bad_csv": _l("The quotes of this CSV are wrong or not closed. Save it anew from your spreadsheet."),
    "damaged": _l("The file is damaged and cannot be read as XLSX. Save it anew."),
    "has_macros": _l("The file holds macros. Save it as XLSX without them."),
    "unpacks_too_large": _l("The file unpacks to far more than a list holds. Keep the list's sheet alone."),
    "no_external_id": _l(
        "The first row names no column external_id, the bank's own id of a customer. Add it."
    ),
    "too_many_rows": _l("The file has more than 10,000 rows. Split it and bring in the parts."),
    "gone": _l(
        "The journey or its step is not loaded any more. Choose another one and bring the file in again."
    ),
    call_lists.ERASED: _l("Somebody's data was erased while the file waited. Bring it in again."),
}
"""Why a file is no list, by the code of it."""


def lists_page(session: Session, values: Mapping[str, str], error: str | None = None) -> page.ListsPage:
    """Return the form of a list, and the lists brought in lately."""
    head, tabs = part_frame("queue")
    people = user_names(session)
    journeys = journeys_loaded(session)
    return page.ListsPage(
        frame=head,
        tabs=tabs,
        journeys=tuple(Option(key, chosen(dict(one.title), key)) for key, one in journeys.items()),
        steps=tuple(
            Option(f"{key}/{step}", f"{chosen(dict(one.title), key)}: {step_words(one, step, language())}")
            for key, one in journeys.items()
            for step in one.order
            if step != one.goal
        ),
        purposes=tuple(Option(one.value, word("purpose", one.value)) for one in Purpose),
        values=values,
        rows=tuple(
            page.ListRow(
                href=f"/floor/lists/{one.id}",
                name=one.name,
                by=people.get(str(one.user_id), gettext("Somebody")),
                at=one.created_at,
                state=_state(one),
                opened=one.tasks_opened,
                total=one.rows_total,
            )
            for one in call_lists.lists_of_people(session)
        ),
        error=error,
    )


def _state(one: ListImport) -> str:
    if one.is_draft and one.looked_at is None:
        return "failed" if one.failed else "looking" if one.body is None else "reading"
    if one.is_draft:
        return "draft"
    if one.undone_at is not None:
        return "undone"
    return "done" if one.ended_at is not None else "working"


def list_page(session: Session, row: ListImport, now: datetime) -> page.ListPage:
    """Return one list: what would become of its rows, or what has."""
    changes = _state(row) in ("reading", "looking", "working")
    head, tabs = part_frame("queue", state_url=f"/floor/lists/{row.id}/state" if changes else None)
    same = call_lists.same_list(session, row) if _state(row) == "draft" else None
    until = list_acts.may_undo_until(row)
    refused = _refused(row)
    return page.ListPage(
        frame=head,
        tabs=tabs,
        id=str(row.id),
        name=row.name,
        state="same" if same else _state(row),
        about=_about(session, row),
        by=user_names(session).get(str(row.user_id), gettext("Somebody")),
        at=row.created_at,
        is_own=row.user_id == viewer().id,
        total=row.rows_total,
        done=row.rows_done,
        looked=len(row.refused) + len(row.foreseen),
        problem=str(FILES.get(row.failed, row.failed)) if row.failed else "",
        would_open=sum(code in (list_acts.OPENS, list_acts.WAITS) for _, code, _ in row.foreseen),
        opened=row.tasks_opened,
        undone=row.tasks_undone,
        outcomes=tuple(_foreseen(row) if row.is_draft else _became(row)),
        refused=tuple(refused[:SHOWN]),
        refused_total=len(refused),
        same_href=f"/floor/lists/{same.id}" if same and same.user_id else "",
        undo_until=until if until and until > now else None,
    )


def _about(session: Session, row: ListImport) -> str:
    journey = journeys_loaded(session).get(row.wanted["journey"])
    title = chosen(dict(journey.title), journey.id) if journey else str(row.wanted["journey"])
    step = row.wanted.get("step")
    if step:
        return gettext(
            "%(journey)s, about: %(step)s", journey=title, step=step_words(journey, step, language())
        )
    return gettext("%(journey)s, about the step each is on", journey=title)


def _foreseen(row: ListImport) -> Iterator[page.Outcome]:
    """What would become of the rows: each kind, the bars with their reasons."""
    counted = Counter(code for _, code, _ in row.foreseen)
    for code, text in _FORESEEN.items():
        if counted[code]:
            whys = Counter(why.split(",")[0] for _, one, why in row.foreseen if one == code and why)
            yield page.Outcome(counted[code], str(text), _whys(whys))
    if row.refused:
        yield page.Outcome(len(row.refused), gettext("are refused: see below"))


def _whys(counted: Mapping[str, int]) -> str:
    told = [
        gettext("%(why)s: %(n)s", why=bar_label(code) if code in set(BarReason) else code, n=many)
        for code, many in sorted(counted.items(), key=lambda it: -it[1])
    ]
    return gettext("; ").join(told)


def _became(row: ListImport) -> Iterator[page.Outcome]:
    yield page.Outcome(row.tasks_opened, gettext("opened a call task"))
    counted = Counter(one["code"] for one in row.refused)
    if merged := counted.pop("open_task_exists", 0):
        yield page.Outcome(merged, gettext("stayed with the call task that is open for them"))
    if barred := counted.pop("barred", 0):
        yield page.Outcome(barred, gettext("opened nothing: the gate bars the call"))
    if rest := sum(counted.values()):
        yield page.Outcome(rest, gettext("are refused: see below"))
    if left := row.rows_total - row.rows_done:
        yield page.Outcome(left, gettext("are still to be worked through"))


def _refused(row: ListImport) -> list[page.RefusedShown]:
    """Every row that opens nothing, by its number, with why."""
    found = [page.RefusedShown(one["number"], why_words(one["code"], one["message"])) for one in row.refused]
    if row.is_draft:
        quiet = (list_acts.OPENS, list_acts.WAITS)
        found += [
            page.RefusedShown(number, _foreseen_why(code, why))
            for number, code, why in row.foreseen
            if code not in quiet
        ]
    return sorted(found, key=lambda one: one.number)


def _foreseen_why(code: str, why: str) -> str:
    known = {list_acts.MERGES: "open_task_exists", list_acts.NO_STEP: "bad_input"}
    if code in known:
        return why_words(known[code], "")
    return gettext("The gate bars the call: %(why)s", why=_listed(why.split(",")))


def _listed(codes: Sequence[str]) -> str:
    return gettext(", ").join(bar_label(one) for one in codes if one)


def why_words(code: str, message: str) -> str:
    """Why a row is refused; what the gate says is named by its reasons."""
    if code == "barred" and ": " in message:
        return _foreseen_why(list_acts.BARRED, message.partition(": ")[2].replace(", ", ","))
    return str(_REFUSED.get(code) or message or code)


def refused_table(row: ListImport) -> Iterator[list[Any]]:
    """Return every row that opens nothing as a table: its number in the file, and why."""
    yield [gettext("Row"), gettext("Why")]
    for one in _refused(row):
        yield [one.number, one.why]
