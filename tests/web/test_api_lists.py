"""Lists of customers to call: read from CSV and XLSX whatever they hold, tried dry, worked through in portions."""

import io
import zipfile
from datetime import timedelta
from typing import Any
from uuid import UUID

import openpyxl
import pytest
from flask import Flask
from sqlmodel import Session, col, select

from callcenter import list_acts, partner_lists
from callcenter.domain.enums import OutboxKind
from callcenter.intake import call_lists, list_files
from callcenter.intake.list_files import FileRefused, read_list
from callcenter.models import AuditEntry, Customer, ListImport, OutboxMessage
from callcenter.web.api.problems import PROBLEM
from tests.factories import Bank
from tests.web.partner import TOKEN, Caller, token_for

HEAD = "external_id,name,phone,time_zone,reason,priority,step,tags,shoe_size\n"
GOOD = HEAD + "c1,陈伟,+8613800138001,Asia/Shanghai,Asked for it,90,id_photo,vip;new,43\n"


@pytest.fixture
def api(app: Flask, session: Session, bank: Bank) -> Caller:
    """A system that may do everything."""
    token_for(session, bank)
    return Caller(app, TOKEN)


def send(api: Caller, body: bytes | str, *, key: str | None = None, **more: Any) -> Any:
    """Send a list about the step profile."""
    query = {"journey": "loan", "step": "profile", **more}
    raw = body.encode() if isinstance(body, str) else body
    return api("POST", "/lists", query_string=query, data=raw, key=key)


def workbook(*rows: list[Any]) -> bytes:
    """An XLSX file of these rows."""
    book = openpyxl.Workbook()
    for row in rows:
        book.active.append(row)
    held = io.BytesIO()
    book.save(held)
    return held.getvalue()


def package(parts: dict[str, bytes]) -> bytes:
    """A zip file of these parts."""
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w", zipfile.ZIP_DEFLATED) as made:
        for name, content in parts.items():
            made.writestr(name, content)
    return held.getvalue()


def works_through(session: Session, bank: Bank) -> ListImport:
    """Let the job work through the one list there is."""
    (list_id,) = session.exec(select(ListImport.id)).all()
    while partner_lists.work_list(session, bank.house, list_id, bank.clock.now):
        session.commit()
    session.commit()
    return session.get_one(ListImport, list_id)


def test_a_dry_run_names_every_refused_row_and_calls_nobody(api: Caller, session: Session) -> None:
    rows = [
        "c1,Chen,+8613800138001,Asia/Shanghai,,,,,",
        "c2,Wang,12,Asia/Shanghai,,,,,",
        ",Li,+8613800138003,Asia/Shanghai,,,,,",
        "c4,Zhao,+8613800138004,Mars,,,,,",
        "c1,Chen,+8613800138001,Asia/Shanghai,,,,,",
        "c6,Qian,+8613800138006,Asia/Shanghai,,101,,,",
        "c7,Sun,+8613800138007,Asia/Shanghai,,,nowhere,,",
        "c8," + "x" * 2000 + ",,,,,,,",
    ]
    told = send(api, HEAD + "\n".join(rows), dry_run="true")
    assert (told.status_code, told.json["is_dry_run"], told.json["rows_total"]) == (202, True, 8), told.text
    assert [(one["number"], one["code"]) for one in told.json["refused"]] == [
        (3, "invalid_phone"),
        (4, "no_external_id"),
        (5, "unknown_time_zone"),
        (6, "duplicate"),
        (7, "bad_priority"),
        (8, "unknown_step"),
        (9, "bad_cell"),
    ]
    assert told.json["ignored_columns"] == ["shoe_size"]
    assert session.exec(select(Customer)).all() == [] and session.exec(select(ListImport)).all() == []


def test_a_list_is_worked_through_and_tells_how_far_it_is(api: Caller, session: Session, bank: Bank) -> None:
    barred = bank.knows("c2")
    bank.bars(barred.id)
    told = send(
        api, GOOD + "c2,,,,,,,,\nc3,,+8613800138003,Asia/Shanghai,,,,,\nc4,,12,,,,,,\n", reason="Campaign"
    )
    assert (told.status_code, told.json["state"], told.json["rows_done"]) == (202, "working", 1), told.text
    path = f"/lists/{told.json['list_id']}"
    row = works_through(session, bank)
    done = api("GET", path).json
    assert (done["state"], done["rows_done"], done["tasks_opened"]) == ("done", 4, 2)
    assert [(one["number"], one["code"]) for one in done["refused"]] == [(5, "invalid_phone"), (3, "barred")]
    assert row.rows == [] and "8613800138" not in row.model_dump_json(), "nothing of the file is kept"
    first, other = bank.tasks()
    assert {one.facts["asked_for"] for one in (first, other)} == {"Asked for it", "Campaign"}
    assert {(one.step, one.priority) for one in (first, other)} == {("id_photo", 90), ("profile", 50)}
    acts = [one.act for one in session.exec(select(AuditEntry)).all()]
    assert "list.taken" in acts and "list.worked" in acts
    assert [one["list_id"] for one in api("GET", "/lists").json["items"]] == [done["list_id"]]


def large(head: str = HEAD, rows: int = 1_200) -> str:
    """A list that is read by a job: rows of which every hundredth has no number that can be called."""
    lines = [
        f"big{n},Chen Wei of the long list,{12 if n % 100 == 0 else f'+86138001{n:05d}'},Asia/Shanghai,,,,,"
        for n in range(rows)
    ]
    body = head + "\n".join(lines)
    assert len(body) > list_files.SMALL
    return body


def errands(session: Session, kind: OutboxKind) -> list[OutboxMessage]:
    """What stands in line of this kind."""
    waiting = select(OutboxMessage).where(OutboxMessage.kind == kind, col(OutboxMessage.done_at).is_(None))
    return list(session.exec(waiting))


def reads_the_file(session: Session, bank: Bank, list_id: str) -> None:
    """Let the job read a list's file."""
    (message,) = errands(session, OutboxKind.LOOK_AT_LIST)
    assert str(message.subject_id) == list_id
    assert not list_acts.look_on(session, bank.house, UUID(list_id), bank.clock.now), "read in one go"
    session.commit()


def test_a_large_list_is_taken_unread_then_read_and_worked_through_by_jobs(
    api: Caller, session: Session, bank: Bank
) -> None:
    told = send(api, large(), key="large", reason="Campaign")
    again = send(api, large(), key="large", reason="Campaign")
    assert (told.status_code, told.json["state"], told.json["rows_total"]) == (202, "reading", 0), told.text
    where = told.headers["Location"]
    assert where == f"/api/v1/lists/{told.json['list_id']}" and told.headers["Retry-After"]
    assert (again.json, again.headers["Location"]) == (told.json, where)
    assert again.headers["Idempotent-Replayed"] == "true"
    changed = send(api, large(rows=1_199), key="large", reason="Campaign")
    assert (changed.status_code, changed.json["code"]) == (422, "idempotency_key_reused")
    assert len(session.exec(select(ListImport)).all()) == 1, "taken once"

    path = where.removeprefix("/api/v1")
    assert not errands(session, OutboxKind.WORK_LIST), "nobody is called before it was read"
    reads_the_file(session, bank, told.json["list_id"])
    read = api("GET", path).json
    assert (read["state"], read["rows_total"], read["rows_done"]) == ("working", 1_200, 12)
    assert read["ignored_columns"] == ["shoe_size"] and read["failed"] is None
    assert {one["code"] for one in read["refused"]} == {"invalid_phone"} and len(read["refused"]) == 12
    assert len(errands(session, OutboxKind.WORK_LIST)) == 1
    partner_lists.work_list(session, bank.house, UUID(told.json["list_id"]), bank.clock.now)
    session.commit()
    assert api("GET", path).json["rows_done"] == 12 + partner_lists.PORTION
    assert len(bank.tasks()) == partner_lists.PORTION
    row = session.get_one(ListImport, UUID(told.json["list_id"]))
    assert row.body is None, "the file is not kept"
    acts = [one.act for one in session.exec(select(AuditEntry)).all()]
    assert acts.count("list.taken") == 1


def test_a_dry_run_of_a_large_list_is_told_where_it_is_and_calls_nobody(
    api: Caller, session: Session, bank: Bank
) -> None:
    told = send(api, large(), dry_run="true")
    assert (told.status_code, told.json["state"], told.json["is_dry_run"]) == (202, "reading", True)
    reads_the_file(session, bank, told.json["list_id"])
    checked = api("GET", told.headers["Location"].removeprefix("/api/v1")).json
    assert (checked["state"], checked["rows_total"], checked["refused_total"]) == ("checked", 1_200, 12)
    assert not errands(session, OutboxKind.WORK_LIST) and session.exec(select(Customer)).all() == []
    assert session.get_one(ListImport, UUID(told.json["list_id"])).rows == [], "nobody it names is kept"
    assert not partner_lists.work_list(session, bank.house, UUID(told.json["list_id"]), bank.clock.now)
    call_lists.forget_lists(session, bank.clock.now + timedelta(days=2))
    session.commit()
    assert api("GET", told.headers["Location"].removeprefix("/api/v1")).status_code == 404


@pytest.mark.parametrize(
    ("body", "code"),
    [(large(HEAD.replace("external_id", "who")), "no_external_id"), (large() + '\n"open', "bad_csv")],
)
def test_a_large_file_that_is_no_list_fails_with_what_to_do(
    api: Caller, session: Session, bank: Bank, body: str, code: str
) -> None:
    told = send(api, body)
    assert told.json["state"] == "reading"
    reads_the_file(session, bank, told.json["list_id"])
    failed = api("GET", told.headers["Location"].removeprefix("/api/v1")).json
    assert (failed["state"], failed["failed"]["code"]) == ("failed", code)
    assert failed["failed"]["message"].endswith(".") and not errands(session, OutboxKind.WORK_LIST)
    assert session.get_one(ListImport, UUID(told.json["list_id"])).body is None


def test_a_large_list_about_no_step_of_the_journey_is_refused_at_once(api: Caller, session: Session) -> None:
    refused = send(api, large(), step="nowhere")
    assert (refused.status_code, refused.content_type) == (400, PROBLEM), refused.text
    assert session.exec(select(ListImport)).all() == []


def test_a_person_who_is_erased_while_a_file_waits_is_called_by_none(
    api: Caller, session: Session, bank: Bank
) -> None:
    told = send(api, large())
    call_lists.forget_person(session, "big7")
    session.commit()
    reads_the_file(session, bank, told.json["list_id"])
    shown = api("GET", told.headers["Location"].removeprefix("/api/v1")).json
    assert (shown["state"], shown["failed"]["code"]) == ("failed", "erased")


def test_a_small_list_says_where_it_is_too(api: Caller) -> None:
    told = send(api, GOOD, key="small")
    assert told.headers["Location"] == f"/api/v1/lists/{told.json['list_id']}"
    assert send(api, GOOD, key="small").headers["Location"] == told.headers["Location"]
    assert told.json["ignored_columns"] == ["shoe_size"]
    assert api("GET", f"/lists/{told.json['list_id']}").json["ignored_columns"] == ["shoe_size"]
    assert "Location" not in send(api, GOOD, dry_run="true").headers, "a small dry run is answered at once"


def test_the_same_list_calls_nobody_twice(api: Caller, session: Session, bank: Bank) -> None:
    assert send(api, GOOD, key="k").json == send(api, GOOD, key="k").json
    works_through(session, bank)
    assert send(api, GOOD).status_code == 409
    bank.clock.go_on(seconds=1)
    assert send(api, GOOD).status_code == 202
    for list_id in partner_lists.open_lists(session):
        partner_lists.work_list(session, bank.house, list_id, bank.clock.now)
    session.commit()
    assert len(bank.tasks()) == 1
    codes = [one["code"] for row in session.exec(select(ListImport)).all() for one in row.refused]
    assert codes == ["open_task_exists"]


def test_a_long_list_is_worked_through_in_portions(
    api: Caller, session: Session, bank: Bank, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(partner_lists, "PORTION", 2)
    rows = "".join(f"c{n},,+86138001{n:05d},Asia/Shanghai,,,,,\n" for n in range(5))
    send(api, HEAD + rows)
    (list_id,) = partner_lists.open_lists(session)
    assert partner_lists.work_list(session, bank.house, list_id, bank.clock.now)
    session.commit()
    session.expire_all()
    row = session.get_one(ListImport, list_id)
    assert (row.rows_done, len(row.rows), row.ended_at) == (2, 3, None)
    assert works_through(session, bank).tasks_opened == 5


def test_a_workbook_is_read_as_a_list() -> None:
    read = read_list(
        workbook(
            ["Customer_ID", "Number", "Priority", None],
            ["c1", "+8613800138001", 70],
            [None],
            [1234567.0, 8613800138002, None],
            ["c3"],
        )
    )
    assert [(one.number, one.told.external_id, one.priority) for one in read.rows] == [
        (2, "c1", 70),
        (5, "c3", None),
    ]
    assert [(one.number, one.code) for one in read.refused] == [(4, "invalid_phone")]


def test_a_csv_with_semicolons_and_a_mark_at_its_start_is_read_too() -> None:
    read = read_list('\ufeffexternal_id;name\r\nc1;"Chen; Wei"\r\n'.encode())
    assert [one.told.traits["name"] for one in read.rows] == ["Chen; Wei"]


BOOK = {"[Content_Types].xml": b"<Types/>", "xl/workbook.xml": b"<workbook/>"}
NONSENSE: list[tuple[str, bytes, str]] = [
    ("empty", b"", "empty"),
    ("pdf", b"%PDF-1.7", "wrong_type"),
    ("old excel, or one with a password", b"\xd0\xcf\x11\xe0" + b"x" * 100, "encrypted_or_old"),
    ("utf-16", "external_id".encode("utf-16"), "bad_encoding"),
    ("latin-1", b"external_id\nM\xfcller\n", "bad_encoding"),
    ("picture", b"\x89PNG\r\n\x1a\n\x00\x00", "wrong_type"),
    ("open quotes", b'external_id\n"c1\n', "bad_csv"),
    ("other columns", b"name,phone\nx,y\n", "no_external_id"),
    ("a zip of something", package({"readme.txt": b"x"}), "wrong_type"),
    ("half a zip", workbook(["external_id"])[:200], "damaged"),
    ("a workbook in name only", package(BOOK), "damaged"),
    ("macros", package({**BOOK, "xl/vbaProject.bin": b"x"}), "has_macros"),
    ("old macros", package({**BOOK, "xl/macrosheets/sheet1.xml": b"x"}), "has_macros"),
    ("zip bomb", package({**BOOK, "xl/worksheets/sheet1.xml": b"0" * 41 * 1024 * 1024}), "unpacks_too_large"),
    ("many parts", package({**BOOK, **{f"xl/{n}": b"" for n in range(300)}}), "unpacks_too_large"),
    ("too large", b"external_id\n" + b"c\n" * 2_000_000, "too_large"),
]


@pytest.mark.parametrize(("what", "body", "code"), NONSENSE, ids=[one[0] for one in NONSENSE])
def test_what_is_no_list_is_refused_with_what_to_do(api: Caller, what: str, body: bytes, code: str) -> None:
    refused = send(api, body)
    assert (refused.status_code, refused.content_type) == (422, PROBLEM), refused.text
    assert (refused.json["code"], refused.json["fields"]) == ("file_refused", {"file": [code]})


def test_a_body_larger_than_any_we_take_is_refused_before_it_is_read(api: Caller) -> None:
    refused = send(api, b"x" * (5 * 1024 * 1024))
    assert refused.status_code in (413, 422) and refused.content_type == PROBLEM


def test_a_workbook_that_lies_of_its_size_is_read_no_further_than_it_says() -> None:
    body = bytearray(package({**BOOK, "xl/worksheets/sheet1.xml": b"0" * 1_000_000}))
    size = (1_000_000).to_bytes(4, "little")
    while (at := bytes(body).find(size)) >= 0:
        body[at : at + 4] = (10).to_bytes(4, "little")
    with pytest.raises(FileRefused):
        read_list(bytes(body))


def test_a_workbook_with_entities_is_refused() -> None:
    bomb = b'<?xml version="1.0"?><!DOCTYPE a [<!ENTITY b "bbbb"><!ENTITY c "&b;&b;&b;">]><workbook>&c;</workbook>'
    with pytest.raises(FileRefused):
        read_list(package({**BOOK, "xl/workbook.xml": bomb}))


def test_more_rows_than_a_list_has_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(list_files, "MAX_ROWS", 3)
    with pytest.raises(FileRefused, match="more than 3 rows"):
        read_list(b"external_id\n" + b"".join(b"c%d\n" % n for n in range(4)))
    with pytest.raises(FileRefused, match="more than 3 rows"):
        read_list(workbook(["external_id"], *([f"c{n}"] for n in range(4))))


def test_an_erased_person_stands_in_no_list_that_waits(api: Caller, session: Session, bank: Bank) -> None:
    send(api, GOOD + "c2,,+8613800138002,Asia/Shanghai,,,,,\n")
    assert call_lists.forget_person(session, "c1") == 1
    assert call_lists.forget_person(session, "c1") == 0
    session.commit()
    assert works_through(session, bank).tasks_opened == 1
    (task,) = bank.tasks()
    assert session.get_one(Customer, task.customer_id).external_id == "c2"
