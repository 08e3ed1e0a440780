"""Lists that supervisors bring in: what becomes of each row is said first, then it is done, once, and undone."""

from datetime import timedelta
from hashlib import sha256
from uuid import UUID

import pytest
from sqlmodel import select

from callcenter import list_acts, partner_lists
from callcenter.domain.enums import CancelReason, OutboxKind, TaskState
from callcenter.errors import BadInput, Conflict, Forbidden, NotFound
from callcenter.intake import call_lists
from callcenter.models import AuditEntry, Customer, ListImport, OutboxMessage
from callcenter.partner_lists import ListWanted
from callcenter.partners import Partner
from tests.factories import Bank
from tests.service.test_reviews_and_checks import supervisor
from tests.web.scenes import waiting_task

HEAD = "external_id,name,phone,time_zone,step\n"


def row(name: str, number: int, step: str = "") -> str:
    """One customer in Shanghai."""
    return f"{name},Chen,+8613800{number:06d},Asia/Shanghai,{step}\n"


def drafted(
    bank: Bank, by: UUID, text: str, step: str | None = "profile", journey: str = "loan"
) -> ListImport:
    """Let a supervisor look at a list."""
    wanted = ListWanted(name="spring.csv", journey=journey, step=step, reason="Spring offer")
    body = text.encode()
    draft = list_acts.draft_list(
        bank.session,
        bank.house,
        Partner(None, "Boss", by),
        wanted,
        sha256(body).hexdigest(),
        body,
        bank.clock.go_on(seconds=1),
    )
    bank.session.commit()
    return draft


def worked(bank: Bank) -> None:
    """Let the jobs work through the lists there are."""
    for list_id in partner_lists.open_lists(bank.session):
        while partner_lists.work_list(bank.session, bank.house, list_id, bank.clock.now):
            bank.session.commit()
    bank.session.commit()


def test_a_look_says_what_would_become_of_each_row_and_opens_nothing(bank: Bank) -> None:
    by = supervisor(bank)
    open_one = waiting_task(bank)
    customer = bank.session.get_one(Customer, open_one.customer_id)
    barred = bank.knows("barred")
    bank.bars(barred.id)
    text = (
        HEAD + row("new", 1) + row(str(customer.external_id), 2) + row("barred", 3) + row("x", 4, "nowhere")
    )
    draft = drafted(bank, by, text + "y,Li,12,Asia/Shanghai,\n" + "z,No number,,Asia/Shanghai,\n")
    assert [(number, code) for number, code, _ in draft.foreseen] == [
        (2, "opens"),
        (3, "merges"),
        (4, "barred"),
        (7, "barred"),
    ]
    assert draft.foreseen[2][2] == "do_not_call" and "invalid_number" in draft.foreseen[3][2]
    assert [(one["number"], one["code"]) for one in draft.refused] == [
        (5, "unknown_step"),
        (6, "invalid_phone"),
    ]
    assert draft.is_draft and list(partner_lists.open_lists(bank.session)) == []
    worked(bank)
    assert bank.tasks() == [open_one]
    assert bank.session.exec(select(Customer).where(Customer.external_id == "new")).first() is None


def test_what_was_foreseen_comes_true(bank: Bank) -> None:
    by = supervisor(bank)
    open_one = waiting_task(bank)
    customer = bank.session.get_one(Customer, open_one.customer_id)
    bank.bars(bank.knows("barred").id)
    draft = drafted(bank, by, HEAD + row("new", 1) + row(str(customer.external_id), 2) + row("barred", 3))
    list_acts.begin_list(bank.session, draft.id, by, bank.clock.now)
    list_acts.begin_list(bank.session, draft.id, by, bank.clock.now)
    bank.session.commit()
    worked(bank)
    assert (draft.tasks_opened, draft.rows_done, draft.rows) == (1, 3, [])
    assert {one["number"]: one["code"] for one in draft.refused} == {3: "open_task_exists", 4: "barred"}
    assert len(bank.tasks()) == 2 and draft.opened == [str(bank.tasks()[-1].id)]
    told = [one for one in bank.session.exec(select(AuditEntry)) if one.act.startswith("list.")]
    assert [one.act for one in told] == ["list.taken", "list.worked"] and {one.user_id for one in told} == {
        by
    }


def test_at_night_a_row_waits_for_the_morning(bank: Bank) -> None:
    by = supervisor(bank)
    bank.clock.go_on(hours=11)  # 23:00 in Shanghai
    draft = drafted(bank, by, HEAD + row("new", 1))
    assert [tuple(one) for one in draft.foreseen] == [(2, "waits", "outside_calling_hours")]
    list_acts.begin_list(bank.session, draft.id, by, bank.clock.now)
    worked(bank)
    (task,) = bank.tasks()
    assert task.not_before_at > bank.clock.now + timedelta(hours=7)


def test_without_a_step_only_who_is_on_one_is_called(bank: Bank) -> None:
    by = supervisor(bank)
    bank.knows("on")
    bank.sends("on", "id_photo_front")
    draft = drafted(bank, by, HEAD + row("on", 1) + row("off", 2), step=None)
    assert [code for _, code, _ in draft.foreseen] == ["opens", "no_step"]
    list_acts.begin_list(bank.session, draft.id, by, bank.clock.now)
    worked(bank)
    assert draft.tasks_opened == 1 and [one["number"] for one in draft.refused] == [3]


def test_the_same_file_twice_opens_nothing_twice_until_it_is_undone(bank: Bank) -> None:
    by = supervisor(bank)
    first = drafted(bank, by, HEAD + row("new", 1))
    second = drafted(bank, by, HEAD + row("new", 1))
    list_acts.begin_list(bank.session, first.id, by, bank.clock.now)
    worked(bank)
    bank.tasks()[0].state = TaskState.COMPLETED
    bank.session.commit()
    with pytest.raises(Conflict, match="This very file"):
        list_acts.begin_list(bank.session, second.id, by, bank.clock.now)
    bank.session.rollback()
    assert len(bank.tasks()) == 1
    other = drafted(bank, by, HEAD + row("new", 1) + "\n")
    list_acts.begin_list(bank.session, other.id, by, bank.clock.now)


def test_a_list_is_undone_within_a_quarter_of_an_hour_and_what_was_touched_stays(bank: Bank) -> None:
    by, other = supervisor(bank), supervisor(bank, "other-boss")
    draft = drafted(bank, by, HEAD + row("a", 1) + row("b", 2) + row("c", 3))
    with pytest.raises(Conflict, match="nothing to undo yet"):
        list_acts.undo_list(bank.session, draft.id, by, bank.clock.now)
    list_acts.begin_list(bank.session, draft.id, by, bank.clock.now)
    worked(bank)
    touched = bank.tasks()[0]
    bank.agent_is_available()
    bank.offers(touched)
    with pytest.raises(Forbidden):
        list_acts.undo_list(bank.session, draft.id, other, bank.clock.now)
    assert list_acts.undo_list(bank.session, draft.id, by, bank.clock.now) == 2
    bank.session.commit()
    ends = [one.cancel_reason for one in bank.tasks() if one.state == TaskState.CANCELED]
    assert ends == [CancelReason.WITHDRAWN] * 2 and touched.state == TaskState.RESERVED
    assert list_acts.undo_list(bank.session, draft.id, by, bank.clock.now) == 2, "twice changes nothing"
    again = drafted(bank, by, HEAD + row("a", 1) + row("b", 2) + row("c", 3))
    list_acts.begin_list(bank.session, again.id, by, bank.clock.now)
    worked(bank)
    assert again.tasks_opened == 2
    bank.clock.go_on(minutes=16)
    with pytest.raises(Conflict, match="time for undoing is over"):
        list_acts.undo_list(bank.session, again.id, by, bank.clock.now)


def test_a_draft_is_its_owners_and_is_forgotten_after_a_day(bank: Bank) -> None:
    by, other = supervisor(bank), supervisor(bank, "other-boss")
    draft = drafted(bank, by, HEAD + row("a", 1))
    with pytest.raises(Forbidden):
        list_acts.begin_list(bank.session, draft.id, other, bank.clock.now)
    with pytest.raises(NotFound):
        list_acts.begin_list(bank.session, UUID(int=4), by, bank.clock.now)
    with pytest.raises(BadInput):
        drafted(bank, by, HEAD + row("a", 1), journey="nowhere")
    call_lists.forget_lists(bank.session, bank.clock.go_on(hours=25))
    assert bank.session.exec(select(ListImport)).all() == []


def _large(bank: Bank, by: UUID, rows: int = 1_800) -> ListImport:
    """A list past what is looked at while the person waits."""
    draft = drafted(bank, by, HEAD + "".join(row(f"c{number}", number) for number in range(rows)))
    assert draft.body is not None and not draft.rows and not draft.foreseen, "nothing is read in the request"
    return draft


def _looks(bank: Bank, draft: ListImport) -> bool:
    more = list_acts.look_on(bank.session, bank.house, draft.id, bank.clock.now)
    bank.session.commit()
    return more


def test_a_large_file_is_read_and_looked_at_portion_by_portion_and_begun_only_then(bank: Bank) -> None:
    by = supervisor(bank)
    draft = _large(bank, by)
    message = bank.session.exec(
        select(OutboxMessage).where(OutboxMessage.kind == OutboxKind.LOOK_AT_LIST)
    ).one()
    assert message.subject_id == draft.id
    assert _looks(bank, draft) and draft.body is None and draft.rows_total == 1_800
    assert _looks(bank, draft) and len(draft.foreseen) == 500
    with pytest.raises(Conflict, match="Wait until the whole list has been looked at"):
        list_acts.begin_list(bank.session, draft.id, by, bank.clock.now)
    bank.session.rollback()
    call_lists.forget_person(bank.session, "c7")
    call_lists.forget_person(bank.session, "c700")
    bank.session.commit()
    while _looks(bank, draft):
        pass
    assert [number for number, _, _ in draft.foreseen] == [n for n in range(2, 1_802) if n != 702]
    assert draft.looked_at is not None and not _looks(bank, draft), "looked at once"
    begun = list_acts.begin_list(bank.session, draft.id, by, bank.clock.now)
    assert not begun.is_draft and len(begun.rows) == 1_798


@pytest.mark.parametrize(("body", "code"), [("x" * 70_000, "no_external_id"), ("", "erased")])
def test_a_large_file_that_is_no_list_is_given_up_and_its_page_can_say_why(
    bank: Bank, body: str, code: str
) -> None:
    by = supervisor(bank)
    draft = drafted(bank, by, body) if body else _large(bank, by)
    if not body:
        call_lists.forget_person(bank.session, "c7")
    assert not _looks(bank, draft)
    bank.session.refresh(draft)
    assert (draft.failed, draft.body, draft.looked_at) == (code, None, None)
    with pytest.raises(Conflict):
        list_acts.begin_list(bank.session, draft.id, by, bank.clock.now)
