"""Reports: counts with their bases, by whatever they are split by; tables that a spreadsheet cannot run."""

import csv
import io

import pytest
from openpyxl import load_workbook
from sqlmodel import select

from callcenter.domain.enums import Role
from callcenter.models import User
from callcenter.reporting.reports import ReportBy
from tests.factories import Bank, user_in_arm
from tests.web.conftest import SignIn
from tests.web.scenes import RULE, enter, reached_call, waiting_task, words

DAY = "from=2026-11-18&to=2026-11-18"


def _a_call(bank: Bank) -> None:
    user = user_in_arm(RULE, held_out=False)
    reached_call(bank, waiting_task(bank, user), "will_finish")
    bank.clock.go_on(seconds=30)
    bank.sends(user, "face_scan")


def test_nothing_done_is_said(bank: Bank, sign_in: SignIn) -> None:
    html = enter(bank, sign_in, Role.SUPERVISOR).get("/floor/reports?by=rule").text
    assert "Nobody was called in this period." in html


@pytest.mark.parametrize(
    ("by", "label"),
    [
        ("hour", "12:00"), ("day", "18 Nov"), ("agent", "Lin Yue"), ("team", "Loan desk A"),
        ("rule", "ID-photo trouble"), ("campaign", "Loan"), ("disposition", "Will finish"),
        ("purpose", "Service care"),
    ],
)  # fmt: skip
def test_each_report_tells_its_counts_with_their_bases(
    bank: Bank, sign_in: SignIn, by: str, label: str
) -> None:
    _a_call(bank)
    html = enter(bank, sign_in, Role.SUPERVISOR).get(f"/floor/reports?by={by}&{DAY}").text
    told = words(html)
    assert label in told and "100.0 % 1 of 1 100.0 % 1 of 1 100.0 % 1 of 1" in told
    assert 'data-chart="bars" data-of="report-table"' in html and by in {one.value for one in ReportBy}


def test_occupancy_is_time_with_a_call_task_of_the_time_signed_on(bank: Bank, sign_in: SignIn) -> None:
    _a_call(bank)  # 80 s of dialing and talking, then 30 s idle and available
    told = words(enter(bank, sign_in, Role.SUPERVISOR).get(f"/floor/reports?by=agent&{DAY}").text)
    assert "72.7 % of 0.0 h" in told


def test_the_tables_open_again_and_a_name_cannot_be_a_formula(bank: Bank, sign_in: SignIn) -> None:
    _a_call(bank)
    agent = bank.session.exec(select(User).where(User.id == bank.agent_id)).one()
    agent.name = "=1+1"
    bank.session.commit()
    client = enter(bank, sign_in, Role.SUPERVISOR)
    answer = client.get(f"/floor/reports.csv?by=agent&{DAY}")
    assert answer.headers["Content-Disposition"].endswith('report-agent-2026-11-18-2026-11-18.csv"')
    rows = list(csv.reader(io.StringIO(answer.data.decode("utf-8-sig"))))
    assert rows[0][:4] == ["Agent", "Attempts", "Reached", "Reached of attempts"]
    assert rows[1][:4] == ["'=1+1", "1", "1", "1.0"] and rows[-1][0] == "All"
    book = load_workbook(io.BytesIO(client.get(f"/floor/reports.xlsx?by=agent&{DAY}").data), read_only=True)
    sheet = list(book.worksheets[0].iter_rows(values_only=True))
    assert sheet[1][:3] == ("'=1+1", 1, 1) and len(sheet) == 3 and sheet[0][-1] == "Occupancy"


def test_days_are_the_viewers_and_nonsense_is_refused_with_the_page(bank: Bank, sign_in: SignIn) -> None:
    _a_call(bank)
    client = enter(bank, sign_in, Role.SUPERVISOR)
    assert "Nobody was called" in client.get("/floor/reports?from=2026-11-17&to=2026-11-17").text
    for wrong in ("by=moon", "from=soon", "from=2026-11-19&to=2026-11-18", "from=2020-01-01&to=2026-01-01"):
        answer = client.get(f"/floor/reports?{wrong}")
        assert answer.status_code == 400 and 'role="alert"' in answer.text, wrong
        assert client.get(f"/floor/reports.csv?{wrong}").status_code == 400
    html = enter(bank, sign_in, Role.SUPERVISOR, "zh").get("/floor/reports").text
    assert "做了什么，结果如何？" in html
