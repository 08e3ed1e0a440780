"""People in the administration: added, changed, deactivated; teams' settings and skills; all of it in the trail."""

from uuid import UUID

import pytest
from flask.testing import FlaskClient
from sqlmodel import col, select

from callcenter.commands.sample import read_sample
from callcenter.domain.enums import Presence, Role
from callcenter.models import Agent, AuditEntry, Skill, Team, User
from callcenter.routing import people
from tests.factories import Bank
from tests.web.conftest import SignIn
from tests.web.scenes import enter, words

NEW = {
    "login": "wu.jing",
    "name": "Wu Jing",
    "role": "agent",
    "team": "Loan desk A",
    "languages": ["zh"],
    "skill-loans": "4",
    "skill-cards": "",
    "password": "a-long-password",
    "time_zone": "Asia/Shanghai",
}


@pytest.fixture
def admin(bank: Bank, sign_in: SignIn) -> FlaskClient:
    """An administrator, and two skills."""
    for key, name, name_zh in (("loans", "Loans", "贷款"), ("cards", "Bank cards", "银行卡")):
        people.put_skill(bank.session, key, name, name_zh, bank.clock.now)
    bank.session.commit()
    return enter(bank, sign_in, Role.ADMIN)


def _user(bank: Bank, login: str) -> User:
    bank.session.expire_all()
    return bank.session.exec(select(User).where(User.login == login)).one()


def _acts(bank: Bank) -> list[str]:
    rows = bank.session.exec(select(AuditEntry).order_by(col(AuditEntry.id)))
    return [one.act for one in rows if one.act.partition(".")[0] in ("person", "team", "skill")]


def _fields(bank: Bank, user: User) -> dict[str, str | list[str]]:
    agent = bank.session.get_one(Agent, user.id)
    return {"name": user.name, "role": user.role, "team": agent.team, "languages": agent.languages.split(",")}


def test_an_agent_is_added_with_team_languages_and_skills(admin: FlaskClient, bank: Bank) -> None:
    assert admin.get("/admin/people/new").status_code == 200
    answer = admin.post("/admin/people", data=NEW)
    assert (answer.status_code, answer.headers["Location"]) == (302, "/admin/people")
    user = _user(bank, "wu.jing")
    agent = bank.session.get_one(Agent, user.id)
    assert (agent.team, agent.languages, agent.skills, agent.skill_points) == (
        "Loan desk A",
        "zh",
        {"loans": 4},
        4,
    )
    shown = words(admin.get("/admin/people").text)
    assert "Wu Jing" in shown and "Loans 4" in shown and "Loan desk A" in shown
    assert _acts(bank) == ["person.added"]
    entry = bank.session.exec(select(AuditEntry).where(AuditEntry.act == "person.added")).one()
    assert entry.subject == "wu.jing" and "password" not in str(entry.detail)


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"login": "agent"}, "Somebody has this login already."),
        ({"password": "short"}, "at least 10 characters"),
        ({"team": ""}, "Choose the agent&#39;s team."),
        ({"languages": []}, "Choose at least one language"),
        ({"telephone": "12"}, "not a valid number"),
        ({"time_zone": "Moon/Crater"}, "IANA name"),
        ({"role": "boss"}, "Choose what this person does."),
        ({"name": " "}, "Give a name"),
    ],
)
def test_what_cannot_be_comes_back_with_why_and_as_typed(
    admin: FlaskClient, bank: Bank, wrong: dict[str, object], says: str
) -> None:
    answer = admin.post("/admin/people", data={**NEW, **wrong})
    assert answer.status_code in (400, 409) and says in answer.text
    assert "a-long-password" not in answer.text
    if "name" not in wrong:
        assert 'value="Wu Jing"' in answer.text
    assert len(bank.session.exec(select(User).where(User.login == "wu.jing")).all()) == 0


def test_an_agent_is_changed_and_keeps_their_password(admin: FlaskClient, bank: Bank) -> None:
    user = _user(bank, "agent")
    before, url = user.password_hash, f"/admin/people/{user.id}"
    assert "Signs in as agent." in words(admin.get(url).text)
    changed = {
        **_fields(bank, user),
        "name": "Lin Yue-Chen",
        "skill-cards": "5",
        "time_zone": "Asia/Shanghai",
    }
    assert admin.post(url, data=changed).status_code == 302
    user = _user(bank, "agent")
    agent = bank.session.get_one(Agent, user.id)
    assert (user.name, user.password_hash, user.time_zone) == ("Lin Yue-Chen", before, "Asia/Shanghai")
    assert agent.skills == {"cards": 5}
    other = admin.post(url, data={**changed, "role": "supervisor"})
    assert other.status_code == 409 and "An agent stays an agent." in other.text
    assert _acts(bank) == ["person.changed"]


def test_who_is_deactivated_cannot_sign_in_and_leaves_the_floor(admin: FlaskClient, bank: Bank) -> None:
    bank.agent_is_available()
    url = f"/admin/people/{bank.agent_id}"
    assert admin.post(f"{url}/deactivate").status_code == 302
    user = _user(bank, "agent")
    agent = bank.session.get_one(Agent, bank.agent_id)
    assert (user.is_active, agent.presence) == (False, Presence.SIGNED_OFF)
    assert "Lin Yue" not in admin.get("/floor").text
    assert admin.post(f"{url}/activate").status_code == 302
    assert _user(bank, "agent").is_active
    assert _acts(bank) == ["person.deactivated", "person.activated"]


def test_nobody_is_deactivated_in_the_middle_of_a_call_task_nor_the_last_administrator(
    admin: FlaskClient, bank: Bank
) -> None:
    from tests.web.test_console import offered

    offered(bank)
    busy = admin.post(f"/admin/people/{bank.agent_id}/deactivate")
    assert busy.status_code == 409 and "has a call task before them" in words(busy.text)
    admins = bank.session.exec(select(User).where(User.role == Role.ADMIN)).all()
    assert len(admins) == 1
    own = admin.post(f"/admin/people/{admins[0].id}/deactivate")
    assert own.status_code == 409 and "cannot deactivate yourself" in own.text
    demoted = admin.post(
        f"/admin/people/{admins[0].id}", data={"name": "Root", "role": "supervisor", "time_zone": "UTC"}
    )
    assert demoted.status_code == 409 and "last administrator" in demoted.text


def test_teams_and_skills_are_kept(admin: FlaskClient, bank: Bank) -> None:
    assert admin.post("/admin/teams", data={"team": "Loan desk B"}).status_code == 302
    twice = admin.post("/admin/teams", data={"team": " Loan desk B "})
    assert twice.status_code == 409 and "There is a team of this name." in twice.text
    form = {"team": "Loan desk B", "transfers_need_approval": "1"}
    assert admin.post("/admin/teams/settings", data=form).status_code == 302
    bank.session.expire_all()
    assert bank.session.get_one(Team, "Loan desk B").transfers_need_approval
    wrong = admin.post("/admin/skills", data={"key": "Big Loans", "name": "Big", "name_zh": "大"})
    assert wrong.status_code == 400 and 'value="Big Loans"' in wrong.text
    assert (
        admin.post("/admin/skills", data={"key": "fax", "name": "Fax", "name_zh": "传真"}).status_code == 302
    )
    assert admin.post("/admin/skills/fax/off").status_code == 302
    bank.session.expire_all()
    assert not bank.session.get_one(Skill, "fax").is_active
    assert 'name="skill-fax"' not in admin.get("/admin/people/new").text
    assert "A supervisor decides first." in admin.get("/admin/teams").text
    assert _acts(bank) == ["team.added", "team.changed", "skill.put", "skill.switched"]
    assert admin.post("/admin/skills/moon/off").status_code == 404


def test_pages_of_people_read_in_chinese(admin: FlaskClient, bank: Bank) -> None:
    for one in bank.session.exec(select(User).where(User.role == Role.ADMIN)):
        one.language = "zh"
    bank.session.commit()
    assert "这里有哪些人员？" in admin.get("/admin/people").text
    assert "贷款" in admin.get("/admin/teams").text


def test_a_person_who_is_not_there_is_not_found(admin: FlaskClient) -> None:
    assert admin.get(f"/admin/people/{UUID(int=5)}").status_code == 404


def test_a_skill_that_rules_need_is_switched_off_only_by_who_was_told_which(
    admin: FlaskClient, bank: Bank
) -> None:
    asked = admin.post("/admin/skills/cards/off")
    assert asked.status_code == 409
    needing = [one["rule"] for one in read_sample("rules.yaml") if one.get("skill") == "cards"]
    assert needing and "Rules in force ask for this skill: " + ", ".join(sorted(needing)) in words(asked.text)
    bank.session.expire_all()
    assert bank.session.get_one(Skill, "cards").is_active
    assert asked.text.count('name="confirmed" value="1"') == 1
    assert admin.post("/admin/skills/cards/off", data={"confirmed": "1"}).status_code == 302
    bank.session.expire_all()
    assert not bank.session.get_one(Skill, "cards").is_active
    assert admin.post("/admin/skills/complaints/off").status_code == 302, "nothing asks for it"
