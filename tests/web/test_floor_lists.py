"""Lists brought in on the floor: looked at, refused with why, done once, undone; refused rows as a file."""

import io
from typing import Any
from uuid import UUID

import openpyxl
import pytest
from flask.testing import FlaskClient
from sqlmodel import select

from callcenter import list_acts, partner_lists
from callcenter.domain.enums import Role, TaskState
from callcenter.models import ListImport
from tests.factories import Bank
from tests.service.test_list_acts import HEAD, row
from tests.web.conftest import SignIn
from tests.web.scenes import enter, words

FORM = {"about": "loan/profile", "purpose": "service", "reason": "Spring offer", "priority": "60"}


def sends(client: FlaskClient, body: bytes | str, name: str = "spring.csv", **form: Any) -> Any:
    """Bring a file in."""
    raw = body.encode() if isinstance(body, str) else body
    parts = [
        f'--x\r\nContent-Disposition: form-data; name="{key}"\r\n\r\n{value}'
        for key, value in (FORM | form).items()
    ]
    parts.append(f'--x\r\nContent-Disposition: form-data; name="file"; filename="{name}"\r\n\r\n')
    whole = "\r\n".join(parts).encode() + raw + b"\r\n--x--\r\n"
    return client.post("/floor/lists", data=whole, content_type="multipart/form-data; boundary=x")


def works(bank: Bank) -> None:
    """Let the jobs work through the lists there are."""
    for list_id in partner_lists.open_lists(bank.session):
        while partner_lists.work_list(bank.session, bank.house, list_id, bank.clock.now):
            bank.session.commit()
    bank.session.commit()


def test_a_list_is_looked_at_done_and_undone(bank: Bank, sign_in: SignIn) -> None:
    bank.bars(bank.knows("barred").id)
    client = enter(bank, sign_in, Role.SUPERVISOR)
    answer = sends(client, HEAD + row("a", 1) + row("b", 2) + row("barred", 3) + row("c", 4, "nowhere"))
    assert answer.status_code == 302, answer.text
    path = answer.headers["Location"]
    told = words(client.get(path).text)
    assert "2 call tasks would be opened." in told and "Open 2 call tasks" in told
    assert (
        "1 open nothing: the gate bars the call Do not call: 1" in told and "1 are refused: see below" in told
    )
    assert "4 The gate bars the call: Do not call" in told and "5 step is none of the journey" in told
    file = client.get(f"{path}/refused.csv")
    assert file.mimetype == "text/csv" and "4,The gate bars the call: Do not call" in file.text
    assert bank.tasks() == []
    assert client.post(f"{path}/do").status_code == 302 and client.post(f"{path}/do").status_code == 302
    assert "Being worked through: 1 of 4 rows" in words(client.get(f"{path}/state").text)
    works(bank)
    told = words(client.get(path).text)
    assert "2 call tasks were opened." in told and "1 opened nothing: the gate bars the call" in told
    assert "4 The gate bars the call: Do not call" in told and "Undo 15:00" in told
    assert [(one.facts["asked_for"], one.priority) for one in bank.tasks()] == [("Spring offer", 60)] * 2
    assert "spring.csv" in client.get("/floor/lists").text
    assert client.post(f"{path}/undo").status_code == 302
    assert "2 call tasks were taken back." in words(client.get(path).text)
    bank.session.expire_all()
    assert {one.state for one in bank.tasks()} == {TaskState.CANCELED}


def test_the_same_file_again_says_so_and_cannot_be_done(bank: Bank, sign_in: SignIn) -> None:
    client = enter(bank, sign_in, Role.SUPERVISOR)
    first = sends(client, HEAD + row("a", 1)).headers["Location"]
    client.post(f"{first}/do")
    bank.clock.go_on(seconds=5)
    again = sends(client, HEAD + row("a", 1), "other name.csv").headers["Location"]
    html = client.get(again).text
    assert "This very file was brought in before" in html and f'href="{first}"' in html
    assert f"{again}/do" not in html
    assert client.post(f"{again}/do").status_code == 409


def test_a_workbook_is_read_as_well(bank: Bank, sign_in: SignIn) -> None:
    book = openpyxl.Workbook()
    book.active.append(["external_id", "phone", "time_zone"])
    book.active.append(["x1", "+8613800138001", "Asia/Shanghai"])
    held = io.BytesIO()
    book.save(held)
    client = enter(bank, sign_in, Role.SUPERVISOR)
    path = sends(client, held.getvalue(), "list.xlsx").headers["Location"]
    assert "1 call task would be opened." in words(client.get(path).text)


@pytest.mark.parametrize(
    ("body", "form", "says"),
    [
        (b"", {}, "The file is empty."),
        (b"%PDF-1.4", {}, "This is neither CSV nor XLSX."),
        (b"name\nChen\n", {}, "names no column external_id"),
        (b"a" * (3 * 1024 * 1024 + 1), {}, "The file is too large"),
        (HEAD.encode(), {"priority": "900"}, "Priority is a whole number"),
        (HEAD.encode(), {"reason": " "}, "Say why these customers are called"),
        (HEAD.encode(), {"purpose": "fun"}, "Choose what the calls are for."),
        (HEAD.encode(), {"about": "nowhere/profile"}, "There is no such journey"),
    ],
)
def test_what_cannot_be_read_is_refused_with_what_to_do(
    bank: Bank, sign_in: SignIn, body: bytes, form: dict[str, str], says: str
) -> None:
    client = enter(bank, sign_in, Role.SUPERVISOR)
    answer = sends(client, body, **form)
    assert answer.status_code in (400, 422) and says in answer.text
    assert bank.session.exec(select(ListImport)).all() == []


def test_a_file_past_what_a_request_may_hold_is_refused_with_what_to_do(bank: Bank, sign_in: SignIn) -> None:
    answer = sends(enter(bank, sign_in, Role.SUPERVISOR), b"a" * (5 * 1024 * 1024))
    assert answer.status_code == 413 and "at most 3 MB" in answer.text


def test_without_a_file_the_form_says_so_and_keeps_what_was_typed(bank: Bank, sign_in: SignIn) -> None:
    client = enter(bank, sign_in, Role.SUPERVISOR)
    answer = client.post("/floor/lists", data=FORM)
    assert answer.status_code == 400 and "Choose a CSV or XLSX file." in answer.text
    assert 'value="Spring offer"' in answer.text


def test_another_supervisors_draft_is_shown_but_theirs_to_do(bank: Bank, sign_in: SignIn) -> None:
    path = sends(enter(bank, sign_in, Role.SUPERVISOR), HEAD + row("a", 1)).headers["Location"]
    admin = sign_in(Role.ADMIN)
    assert f"{path}/do" not in admin.get(path).text
    assert admin.post(f"{path}/do").status_code == 403


def test_a_large_file_is_looked_at_in_the_background_and_its_page_says_how_far(
    bank: Bank, sign_in: SignIn
) -> None:
    client = enter(bank, sign_in, Role.SUPERVISOR)
    path = sends(client, HEAD + "".join(row(f"c{n}", n) for n in range(1_800))).headers["Location"]
    list_id = UUID(path.rsplit("/", 1)[1])

    def look(times: int = 1) -> str:
        for _ in range(times):
            list_acts.look_on(bank.session, bank.house, list_id, bank.clock.now)
        bank.session.commit()
        return str(client.get(f"{path}/state").text)

    html = client.get(path).text
    assert "The file is being read." in words(html) and f'data-state-url="{path}/state"' in html
    assert "Being looked at: 1,000 of 1,800 rows" in words(look(3))
    assert f"{path}/do" not in html and client.post(f"{path}/do").status_code == 409
    html = look(2)
    assert "1,800 call tasks would be opened." in words(html) and f"{path}/do" in html
    assert "data-state-url" not in html, "nothing changes by itself any more"
    assert client.post(f"{path}/do").status_code == 302


def test_a_large_file_that_is_no_list_says_so_on_its_page(bank: Bank, sign_in: SignIn) -> None:
    client = enter(bank, sign_in, Role.SUPERVISOR)
    path = sends(client, "name\n" + "Chen\n" * 20_000).headers["Location"]
    list_acts.look_on(bank.session, bank.house, UUID(path.rsplit("/", 1)[1]), bank.clock.now)
    bank.session.commit()
    told = words(client.get(path).text)
    assert "The file could not be read." in told and "names no column external_id" in told
    assert "Bring in another list" in told
