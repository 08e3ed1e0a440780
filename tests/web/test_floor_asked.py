"""What a supervisor asks of the floor: a campaign, a day, rows by rule, and whom they look for."""

import re
from datetime import timedelta

from callcenter.domain.enums import Role
from callcenter.reporting.figures import floor_day
from callcenter.reporting.floor import rules_waiting, tasks_waiting
from callcenter.web import floor_state
from tests.factories import Bank
from tests.web.conftest import SignIn
from tests.web.scenes import HTMX, enter, figure, reached_call, users_in_arm, waiting_task, words


def _journey(bank: Bank) -> str:
    return bank.tasks()[-1].journey


def test_a_campaign_narrows_queue_and_strip_and_the_page_keeps_to_it(bank: Bank, sign_in: SignIn) -> None:
    reached_call(bank, waiting_task(bank), "will_finish")
    waiting_task(bank, "another")
    supervisor = enter(bank, sign_in, Role.SUPERVISOR)
    mine = supervisor.get(f"/floor?campaign={_journey(bank)}").text
    assert "Queue, 1 call task" in mine and figure(mine, "attempts").startswith("Attempts 1")
    assert f'data-state-url="/floor/state?campaign={_journey(bank)}"' in mine
    assert figure(mine, "occupancy") == "Occupancy – not by campaign"
    now = bank.clock.now
    assert tasks_waiting(bank.session, now, timedelta(seconds=45), "another-campaign").total == 0
    assert rules_waiting(bank.session, now, timedelta(seconds=45), "another-campaign") == ()
    other = floor_day(bank.session, now - timedelta(hours=6), now, "another-campaign")
    assert (other.total.attempts, other.speed.rings, other.abandonment.live_answers) == (0, 0, 0)
    assert "Queue, 1 call task" in supervisor.get("/floor?campaign=never-heard-of").text


def test_a_day_is_the_strips_and_what_waits_is_as_of_now(bank: Bank, sign_in: SignIn) -> None:
    reached_call(bank, waiting_task(bank), "will_finish")
    bank.clock.go_on(days=1)
    waiting_task(bank, "another")
    supervisor = enter(bank, sign_in, Role.SUPERVISOR)
    today, yesterday = supervisor.get("/floor").text, supervisor.get("/floor?day=1").text
    assert figure(today, "attempts").startswith("Attempts 0")
    assert figure(yesterday, "attempts").startswith("Attempts 1")
    assert figure(yesterday, "waiting") == figure(today, "waiting").replace("Waiting", "Waiting now")
    assert 'aria-label="Yesterday"' in yesterday
    assert re.findall(r'id="row-[^"]+', yesterday) == re.findall(r'id="row-[^"]+', today) != []
    assert figure(supervisor.get("/floor?day=2").text, "attempts").startswith("Attempts 0")
    assert supervisor.get("/floor?day=99").text.count('aria-label="Today"') == 1


def test_rows_stand_by_rule_with_counts_oldest_and_promise(bank: Bank, sign_in: SignIn) -> None:
    for user in users_in_arm("id-photo-trouble", 2, held_out=False, at=bank.clock.now):
        waiting_task(bank, user)
        bank.clock.go_on(seconds=50)
    html = enter(bank, sign_in, Role.SUPERVISOR).get("/floor?group=rule").text
    group = re.search(r'<tr id="group-id-photo-trouble".*?</tr>', html, re.S)
    assert group and words(group[0]).startswith("ID-photo trouble 2 promise 1:00 1:40 past its promise")
    assert "1 late 2 callable now" in words(group[0])
    assert len(re.findall(r'<tr id="row-[^"]+" data-group="id-photo-trouble"', html)) == 2
    assert 'href="/floor/queue?rule=id-photo-trouble"' in html
    assert 'id="group-by-rule" href="/floor"' in html, "and back"


def test_equal_askers_share_one_floor_whatever_they_search_for(bank: Bank, sign_in: SignIn) -> None:
    waiting_task(bank)
    supervisor, other = enter(bank, sign_in, Role.SUPERVISOR), enter(bank, sign_in, Role.ADMIN)
    with supervisor.application.app_context():
        shared = supervisor.application.extensions
    for browser in (supervisor, other):
        for address in ("/floor/state", "/floor/state?group=rule", "/floor/state?group=rule&words=somebody"):
            assert browser.get(address, headers=HTMX).status_code == 200
    keys = {key[2] for key in shared["floor_states"].locks}
    assert keys <= {floor_state.Asked(), floor_state.Asked(by_rule=True)}


def test_customers_are_found_by_name_id_and_number_and_never_shown_whole(bank: Bank, sign_in: SignIn) -> None:
    waiting_task(bank, "u-1")
    bank.knows("u-2", name="孙梅")
    known = bank.customer("u-1")
    known.name, known.number = "陈浩 100%", "+8613800138000"
    bank.session.commit()
    supervisor = enter(bank, sign_in, Role.SUPERVISOR)
    task = bank.tasks()[-1]

    def found(typed: str) -> str:
        answer = supervisor.post("/floor/find", data={"words": typed}, headers=HTMX)
        assert answer.status_code == 200
        return str(answer.text)

    for typed in ("陈浩", "100%", "u-1", "+86 138 0013 8000", "8000"):
        html = found(typed)
        assert f'data-found-row="row-{task.id}"' in html, typed
        assert "ID-photo trouble · No free agent" in words(html)
        assert "138 •••• 8000" in html and "13800138000" not in html
    assert "data-found-row" not in found("100_") and "data-found-row" not in found("   ")
    assert "孙梅" not in found("孙"), "by name only who has an open call task"
    nothing = words(found("u-2"))
    assert "孙梅" in nothing and "No call task is open, and nobody has called them yet." in nothing
    assert "Nobody found." in words(found("zzz"))


def test_an_agent_is_found_and_a_call_task_of_a_search_can_be_acted_on(bank: Bank, sign_in: SignIn) -> None:
    task = waiting_task(bank, "u-1")
    bank.agent_is_available()
    bank.offers(task)
    supervisor = enter(bank, sign_in, Role.SUPERVISOR)
    html = supervisor.post("/floor/find", data={"words": "lin"}, headers=HTMX).text
    assert f'data-found-row="seat-{bank.agent_id}"' in html and "Reserved" in words(html)
    page = supervisor.post("/floor/find", data={"words": "u-1"})  # without scripts: a page
    assert "Lin Yue, Reserved" in words(page.text) and 'role="search"' in page.text
    form = {"from": "floor", "which": "ticked", "ids": str(task.id), "act": "bring_back"}
    plan = supervisor.post("/floor/queue/preview", data=form)
    assert plan.status_code == 302 and "1 call task would be changed." in words(
        supervisor.get(plan.location).text
    )


def test_asked_in_chinese(bank: Bank, sign_in: SignIn) -> None:
    waiting_task(bank)
    supervisor = enter(bank, sign_in, Role.SUPERVISOR, "zh")
    html = supervisor.get("/floor?group=rule&day=1").text
    assert "全部活动" in html and "昨天" in html and "当前等待" in html and "查找客户或坐席" in html
    assert "没有找到" in supervisor.post("/floor/find", data={"words": "zzz"}).text
