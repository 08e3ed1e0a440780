"""The chain over the ledgers: whoever changes anything that was sealed is found out, and at which row."""

import csv
import io
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from hashlib import sha256
from zipfile import ZipFile

import orjson
import pytest
from sqlalchemy import text
from sqlmodel import Session, SQLModel, select

from callcenter import ledgers
from callcenter.accounts import service as accounts
from callcenter.db import cursor_of
from callcenter.domain.enums import Purpose, Role, ScreeningPoint, SuppressionKind, SuppressionScope
from callcenter.domain.ids import derived_id
from callcenter.errors import BadInput
from callcenter.evidence import service as evidence
from callcenter.evidence.export import Wanted, write_export
from callcenter.evidence.policy import LEDGERS
from callcenter.evidence.queries import head_of_chain, speak_plainly
from callcenter.evidence.rules import GENESIS, Fault, Head, link_hash, read_head
from callcenter.evidence.sheets import cell, masked
from callcenter.evidence.verify import Report, verify_chain
from callcenter.models import AuditEntry, AuditLink, Customer, ScreeningDecision, Suppression, User

FIVE_YEARS = timedelta(days=1_826)


def decision(session: Session, at: datetime, number: int = 1, **columns: object) -> ScreeningDecision:
    """One answer of the gate, as it is stored."""
    row = ScreeningDecision(
        **{
            "asked_at": at,
            "for_at": at,
            "point": ScreeningPoint.DIAL,
            "customer_id": derived_id("customer", f"c{number}"),
            "may_call": True,
            "policy_version": "cn-bank@2026-01-01",
            "facts": {"number_kind": "mobile", "said": 'tab\t, quote" and 中文\nline'},
            **columns,
        }
    )
    session.add(row)
    session.flush()
    return row


@pytest.fixture
def now(clock: Callable[[], datetime]) -> datetime:
    """Noon in Shanghai."""
    return clock()


@pytest.fixture
def sealed(session: Session, now: datetime) -> Session:
    """Twenty decisions, two suppressions and an audit entry, sealed."""
    for number in range(20):
        decision(session, now + timedelta(seconds=number), number)
    for kind in (SuppressionKind.DO_NOT_CALL, SuppressionKind.REFUSAL):
        session.add(
            Suppression(
                kind=kind,
                scope=SuppressionScope.GLOBAL,
                customer_id=derived_id("customer", "c1"),
                number_hash=b"\x00\xff" * 8,
                key_fingerprint="of a test",
                source="agent",
                created_at=now,
            )
        )
    accounts.record(session, None, "rule.paused", "some-rule", now)
    session.flush()
    assert ledgers.seal_rows(session, now) == 23
    return session


def verified(session: Session, now: datetime, **options: object) -> Report:
    session.flush()
    return verify_chain(session, now + timedelta(minutes=5), **options)  # type: ignore[arg-type]


def faults(report: Report) -> list[tuple[Fault, str | None, int | None]]:
    return [(one.fault, one.ledger, one.row_id) for one in report.findings]


def tamper(session: Session, statement: str, **values: object) -> None:
    """Do what a superuser can do: switch off the trigger that keeps the ledgers, and change them."""
    for table in ("screening_decision", "audit_link", "audit_entry"):
        session.execute(text(f"ALTER TABLE {table} DISABLE TRIGGER ledger_is_append_only"))
    session.execute(text(statement), values)
    for table in ("screening_decision", "audit_link", "audit_entry"):
        session.execute(text(f"ALTER TABLE {table} ENABLE TRIGGER ledger_is_append_only"))


def copy_first(session: Session, row_id: int) -> None:
    """Put a copy of the first decision in under another id."""
    session.execute(
        text(
            "INSERT INTO screening_decision (id, asked_at, for_at, point, customer_id, purpose, campaign, may_call,"
            " reasons, policy_version, facts) OVERRIDING SYSTEM VALUE SELECT :id, asked_at, for_at, point,"
            " customer_id, purpose, campaign, may_call, reasons, policy_version, facts FROM screening_decision"
            " ORDER BY id LIMIT 1"
        ),
        {"id": row_id},
    )


def ids(session: Session) -> list[int]:
    return [row for row in session.exec(select(ScreeningDecision.id).order_by(ScreeningDecision.id)) if row]


def test_what_is_sealed_and_untouched_holds_and_is_sealed_once(sealed: Session, now: datetime) -> None:
    assert ledgers.seal_rows(sealed, now) == 0
    report = verified(sealed, now)
    assert (report.holds, report.links, report.waiting, report.stale) == (True, 23, {}, {})
    assert report.head == head_of_chain(sealed) and report.head.seq == 23


def test_a_row_is_sealed_as_psql_prints_it(session: Session, now: datetime) -> None:
    row = decision(session, now, may_call=False, reasons=["do_not_call"])
    ledgers.seal_rows(session, now)
    columns = ", ".join(LEDGERS[0].columns)
    speak_plainly(session)
    with cursor_of(session).copy(f"COPY (SELECT {columns} FROM screening_decision) TO STDOUT") as copy:
        line = b"".join(map(bytes, copy)).removesuffix(b"\n")
    assert line.startswith(f"{row.id}\t2026-11-18 04:00:00+00\t".encode()) and b"\n" not in line
    link = session.exec(select(AuditLink)).one()
    assert link.row_hash == sha256(line).digest()
    assert link.hash == link_hash(GENESIS, "screening_decision", row.id or 0, link.row_hash)


def test_every_column_of_a_ledger_is_sealed() -> None:
    tables = {table.name: set(table.columns.keys()) for table in SQLModel.metadata.sorted_tables}
    assert {one.table: set(one.columns) for one in LEDGERS} == {
        one.table: tables[one.table] for one in LEDGERS
    }


@pytest.mark.parametrize(
    "change",
    [
        "may_call = NOT may_call",
        "asked_at = asked_at + interval '1 microsecond'",
        "facts = facts || '{\"x\": 1}'",
        "reasons = '[\"do_not_call\"]'",
        "policy_version = ''",
        "campaign = 'other'",
        "firing_id = customer_id",
    ],
)
def test_a_changed_field_is_found_at_its_row(sealed: Session, now: datetime, change: str) -> None:
    changed = ids(sealed)[7]
    tamper(sealed, f"UPDATE screening_decision SET {change} WHERE id = :id", id=changed)
    assert faults(verified(sealed, now)) == [(Fault.ALTERED, "screening_decision", changed)]


def test_a_row_that_was_removed_is_found(sealed: Session, now: datetime) -> None:
    gone = ids(sealed)[3]
    tamper(sealed, "DELETE FROM screening_decision WHERE id = :id", id=gone)
    assert faults(verified(sealed, now)) == [(Fault.MISSING, "screening_decision", gone)]


@pytest.mark.parametrize("row_id", [-5, 0])
def test_a_row_before_the_first_is_found(sealed: Session, now: datetime, row_id: int) -> None:
    later = now + timedelta(days=2)
    decision(sealed, later)
    ledgers.seal_rows(sealed, later)
    copy_first(sealed, row_id)
    assert faults(verified(sealed, later)) == [(Fault.INSERTED, "screening_decision", row_id)]
    ledgers.seal_everywhere(sealed, later)
    assert faults(verified(sealed, later)) == [(Fault.INSERTED, "screening_decision", row_id)]


def test_a_row_put_back_otherwise_is_found(sealed: Session, now: datetime) -> None:
    taken = ids(sealed)[5]
    tamper(sealed, "DELETE FROM screening_decision WHERE id = :id", id=taken)
    copy_first(sealed, taken)
    assert faults(verified(sealed, now)) == [(Fault.ALTERED, "screening_decision", taken)]


def test_a_link_before_the_first_hides_nothing(sealed: Session, now: datetime) -> None:
    copy_first(sealed, 0)
    sealed.execute(
        text(
            "INSERT INTO audit_link SELECT -1, ledger, 0, row_hash, hash, sealed_at FROM audit_link WHERE seq = 1"
        )
    )
    assert faults(verified(sealed, now)) == [(Fault.LINK_ALTERED, None, None)]


def test_a_row_under_an_id_never_used_is_found(session: Session, now: datetime) -> None:
    decision(session, now)
    session.execute(text("SELECT nextval(pg_get_serial_sequence('screening_decision', 'id'))"))
    later = now + timedelta(days=2)
    decision(session, later)
    ledgers.seal_rows(session, later)
    first = ids(session)[0]
    copy_first(session, first + 1)
    assert faults(verified(session, later)) == [(Fault.INSERTED, "screening_decision", first + 1)]
    ledgers.seal_rows(session, later)
    assert faults(verified(session, later)) == [(Fault.INSERTED, "screening_decision", first + 1)]


def test_a_row_committed_late_is_sealed_and_is_no_fault(session: Session, now: datetime) -> None:
    late = decision(session, now)
    assert late.id is not None
    tamper(session, "DELETE FROM screening_decision")  # as others see what is not committed
    decision(session, now + timedelta(seconds=20))
    ledgers.seal_rows(session, now)
    copy_first(session, late.id)
    tamper(session, "UPDATE screening_decision SET asked_at = :now WHERE id = :id", now=now, id=late.id)
    assert verified(session, now).waiting == {"screening_decision": 1}
    assert ledgers.seal_rows(session, now) == 1
    assert verified(session, now).holds


def test_rows_far_behind_are_sealed_by_the_look_at_all(session: Session, now: datetime) -> None:
    first = decision(session, now)
    decision(session, now)
    session.execute(text("SELECT setval(pg_get_serial_sequence('screening_decision', 'id'), 500000)"))
    decision(session, now)
    evidence.seal(session, now)
    tamper(session, "DELETE FROM audit_link")
    tamper(
        session,
        "INSERT INTO audit_link SELECT 1, 'screening_decision', 500001, '\\x00', '\\x00', :now",
        now=now,
    )
    assert ledgers.seal_rows(session, now) == 0, "the tick does not look so far back"
    assert ledgers.seal_everywhere(session, now) == 2
    assert first.id in set(session.exec(select(AuditLink.row_id)))


def test_links_that_were_changed_moved_or_taken_out_are_found(sealed: Session, now: datetime) -> None:
    with sealed.begin_nested() as undo:
        tamper(sealed, "UPDATE audit_link SET hash = sha256('x') WHERE seq = 7")
        assert [(one.fault, one.seq) for one in verified(sealed, now).findings] == [
            (Fault.LINK_ALTERED, 7),
            (Fault.LINK_ALTERED, 8),
        ]
        undo.rollback()
    with sealed.begin_nested() as undo:
        tamper(sealed, "UPDATE audit_link SET row_hash = sha256('x') WHERE seq = 7")
        assert [(one.fault, one.seq) for one in verified(sealed, now).findings] == [(Fault.LINK_ALTERED, 7)]
        undo.rollback()
    with sealed.begin_nested() as undo:
        tamper(sealed, "UPDATE audit_link SET seq = 99 WHERE seq = 7")
        tamper(sealed, "UPDATE audit_link SET seq = 7 WHERE seq = 8")
        tamper(sealed, "UPDATE audit_link SET seq = 8 WHERE seq = 99")
        assert [(one.fault, one.seq) for one in verified(sealed, now).findings] == [
            (Fault.LINK_ALTERED, 7),
            (Fault.LINK_ALTERED, 8),
            (Fault.LINK_ALTERED, 9),
        ]
        undo.rollback()
    with sealed.begin_nested() as undo:
        tamper(sealed, "DELETE FROM audit_link WHERE seq IN (7, 8)")
        found = verified(sealed, now + timedelta(hours=2)).findings
        assert [one.fault for one in found] == [Fault.LINK_MISSING, Fault.INSERTED, Fault.INSERTED]
        assert found[0].text.startswith("links 7 to 8")
        undo.rollback()
    assert verified(sealed, now).holds


def test_a_chain_that_was_cut_or_made_anew_is_told_by_a_head_written_down(
    sealed: Session, now: datetime
) -> None:
    head = read_head(str(head_of_chain(sealed)))
    decision(sealed, now)
    ledgers.seal_rows(sealed, now)
    assert verified(sealed, now, expected=head).holds
    tamper(sealed, "DELETE FROM screening_decision WHERE id IN (SELECT max(id) FROM screening_decision)")
    tamper(sealed, "DELETE FROM audit_link WHERE seq > 20")
    cut = verified(sealed, now + timedelta(hours=2), expected=head)
    assert Fault.CUT in {one.fault for one in cut.findings} and not cut.holds
    tamper(sealed, "DELETE FROM audit_link")
    tamper(sealed, "UPDATE screening_decision SET may_call = false")
    ledgers.seal_rows(sealed, now)
    assert verified(sealed, now).holds, "a chain made anew holds in itself"
    anew = verified(sealed, now, expected=head)
    assert [one.fault for one in anew.findings] == [Fault.REWRITTEN]


def test_a_walk_may_begin_at_a_link_that_is_trusted(sealed: Session, now: datetime) -> None:
    tamper(sealed, "UPDATE screening_decision SET may_call = false WHERE id = :id", id=ids(sealed)[1])
    tamper(sealed, "UPDATE screening_decision SET may_call = false WHERE id = :id", id=ids(sealed)[15])
    assert [one.seq for one in verified(sealed, now, after=10).findings] == [16]


def test_the_ledgers_refuse_to_be_changed(sealed: Session) -> None:
    for table in ("screening_decision", "suppression", "consent", "audit_entry", "audit_link"):
        key = "seq" if table == "audit_link" else "id"
        for statement in (f"DELETE FROM {table}", f"UPDATE {table} SET {key} = {key}"):
            if sealed.execute(text(f"SELECT count(*) FROM {table}")).scalar():
                with pytest.raises(Exception, match="only ever added to"), sealed.begin_nested():
                    sealed.execute(text(statement))


def test_decisions_past_their_keeping_go_and_the_chain_still_holds(sealed: Session, now: datetime) -> None:
    later = now + FIVE_YEARS + timedelta(seconds=10.5)
    decision(sealed, later)
    removed = ledgers.remove_past_keeping(sealed, FIVE_YEARS, later)
    assert removed is not None and removed.rows == 11
    assert ledgers.remove_past_keeping(sealed, FIVE_YEARS, later) is None
    ledgers.seal_rows(sealed, later)
    report = verified(sealed, later)
    assert report.holds and report.removed == {"screening_decision": 11}
    gone = ids(sealed)[0]
    tamper(sealed, "DELETE FROM screening_decision WHERE id = :id", id=gone)
    assert faults(verified(sealed, later)) == [(Fault.MISSING, "screening_decision", gone)]


def test_nobody_hides_behind_the_removal_of_old_rows(session: Session, now: datetime) -> None:
    """A young row with an id among the old ones is taken: the count in the audit trail tells."""
    young = decision(session, now + timedelta(days=1))
    for number in range(3):
        decision(session, now, number)
    ledgers.seal_rows(session, now)
    later = now + FIVE_YEARS + timedelta(hours=1)
    removed = ledgers.remove_past_keeping(session, FIVE_YEARS, later)
    assert removed is not None and removed.rows == 3
    session.flush()
    ledgers.seal_rows(session, later)
    assert verified(session, later).holds
    tamper(session, "DELETE FROM screening_decision WHERE id = :id", id=young.id)
    report = verified(session, later)
    assert [one.fault for one in report.findings] == [Fault.MISSING]
    assert "4 rows are gone, 3 were removed" in report.findings[0].text


def test_a_day_is_kept_once_and_names_the_head(sealed: Session, now: datetime) -> None:
    assert not ledgers.is_day_kept(sealed, now)
    day = ledgers.note_day_kept(sealed, 0, now)
    assert day is not None and day.head == Head(23, head_of_chain(sealed).hash)
    assert ledgers.is_day_kept(sealed, now) and ledgers.note_day_kept(sealed, 0, now) is None
    assert not ledgers.is_day_kept(sealed, now + timedelta(days=1))


def test_a_head_is_read_as_it_is_printed() -> None:
    assert str(read_head(f"7:{'ab' * 32}")) == f"7:{'ab' * 32}"
    for wrong in ("", "7", "7:ab", "x:" + "ab" * 32, "-1:" + "ab" * 32, "7:" + "zz" * 32):
        with pytest.raises(BadInput):
            read_head(wrong)


# -- exports ----------------------------------------------------------------------------------------------------


@pytest.fixture
def person(sealed: Session, now: datetime) -> Iterator[Customer]:
    """Customer c1, whose row there is, and somebody who works here."""
    row = Customer(
        id=derived_id("customer", "c1"),
        external_id="c1",
        name="陈伟",
        number="+8613800138000",
        created_at=now,
        updated_at=now,
    )
    sealed.add(row)
    user = User(
        id=derived_id("user", "x"), login="x", name="X", role=Role.ADMIN, password_hash="-", created_at=now
    )
    sealed.add(user)
    sealed.flush()
    accounts.record(sealed, user.id, "consent.given", str(row.id), now, note="=cmd()")
    sealed.flush()
    yield row


def _files(session: Session, wanted: Wanted, now: datetime) -> dict[str, bytes]:
    target = io.BytesIO()
    write_export(session, wanted, target, now)
    with ZipFile(target) as archive:
        assert archive.testzip() is None
        return {name: archive.read(name) for name in archive.namelist()}


def test_an_export_of_one_person_holds_theirs_alone_and_says_what_it_holds(
    sealed: Session, person: Customer, now: datetime
) -> None:
    files = _files(sealed, Wanted("json", person.id), now)
    (said,) = map(orjson.loads, files["screening_decisions.jsonl"].splitlines())
    assert said["customer_id"] == str(person.id) and said["facts"]["number_kind"] == "mobile"
    assert said["reasons"] == [] and said["policy_version"] == "cn-bank@2026-01-01"
    kinds = [orjson.loads(line)["kind"] for line in files["suppressions.jsonl"].splitlines()]
    assert kinds == ["do_not_call", "refusal"]
    (entry,) = map(orjson.loads, files["audit_entries.jsonl"].splitlines())
    assert (entry["user"], entry["act"], entry["detail"]) == ("x", "consent.given", {"note": "=cmd()"})
    manifest = orjson.loads(files.pop("manifest.json"))
    assert manifest["customer_id"] == str(person.id) and manifest["chain_head"] == str(head_of_chain(sealed))
    assert {one["name"]: one["sha256"] for one in manifest["files"]} == {
        name: sha256(data).hexdigest() for name, data in files.items()
    }
    assert {one["name"]: one["rows"] for one in manifest["files"]} == {
        name: len(data.splitlines()) for name, data in files.items()
    }


def test_an_export_of_a_period_holds_what_lies_in_it(sealed: Session, now: datetime) -> None:
    wanted = Wanted("csv", since=now + timedelta(seconds=5), until=now + timedelta(seconds=8))
    rows = list(csv.DictReader(io.StringIO(_files(sealed, wanted, now)["screening_decisions.csv"].decode())))
    assert [row["asked_at"][11:19] for row in rows] == ["04:00:05", "04:00:06", "04:00:07"]
    assert orjson.loads(rows[0]["facts"])["said"] == 'tab\t, quote" and 中文\nline'


def test_somebody_or_some_time_must_be_named(sealed: Session, now: datetime) -> None:
    with pytest.raises(BadInput):
        write_export(sealed, Wanted("csv", since=now), io.BytesIO(), now)


@pytest.mark.parametrize("begin", ["=1+1", "+86138", "-1", "@SUM(A1)", "\t=1", "\r=1"])
def test_no_cell_is_taken_for_a_formula(begin: str) -> None:
    assert cell(begin) == f"'{begin}"


def test_cells_are_plain() -> None:
    assert [cell(one) for one in (None, True, b"\x0f", 7, "a=b")] == ["", "true", "0f", "7", "a=b"]


def test_numbers_are_masked() -> None:
    assert masked("+8613800138000") == "+861****8000"
    assert (masked("+861380"), masked(None), masked("erased:ab")) == ("****80", None, "erased:ab")


def test_who_has_an_export_is_in_the_audit_trail(sealed: Session, person: Customer, now: datetime) -> None:
    ledgers.hand_out(sealed, Wanted("csv", person.id), io.BytesIO(), derived_id("user", "x"), now)
    sealed.flush()
    entry = sealed.exec(select(AuditEntry).where(AuditEntry.act == "evidence.exported")).one()
    assert (entry.subject, entry.detail["with_numbers"]) == (str(person.id), False)
    assert entry.detail["rows"]["suppressions.csv"] == 2


def test_a_purpose_is_a_word_in_the_chain(session: Session, now: datetime) -> None:
    decision(session, now, purpose=Purpose.MARKETING)
    ledgers.seal_rows(session, now)
    assert verified(session, now).holds


def test_an_export_of_one_person_finds_entries_that_name_the_word_before_the_id(
    sealed: Session, person: Customer, now: datetime
) -> None:
    before = len(_files(sealed, Wanted("json", person.id), now)["audit_entries.jsonl"].splitlines())
    other = derived_id("customer", "somebody else")
    for act, subject in (
        ("customer.tagged", f"customer {person.id}"),
        ("customer.tagged", f"customer {other}"),
        ("customer.told", str(person.id)),
    ):
        accounts.record(sealed, None, act, subject, now)
    sealed.flush()
    found = _files(sealed, Wanted("json", person.id), now)["audit_entries.jsonl"].splitlines()
    subjects = [orjson.loads(line)["subject"] for line in found[before:]]
    assert subjects == [f"customer {person.id}", str(person.id)]
