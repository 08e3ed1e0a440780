"""Administration of event sources: keys that rotate, limits of their own, and what came in as it comes in."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from uuid import UUID

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import event
from sqlmodel import Session, col, select

from callcenter.domain.enums import Role
from callcenter.intake import policy
from callcenter.models import AuditEntry, EventSource, WriteKey
from callcenter.runtime import Runtime
from callcenter.web.admissions import FRESH, MOST_KEYS, Admissions
from callcenter.web.limits import collector_count
from tests.factories import Bank
from tests.web.collector import basic, track
from tests.web.conftest import SignIn
from tests.web.scenes import HTMX, enter, words

pytestmark = pytest.mark.slow


def page_of(bank: Bank) -> str:
    return f"/admin/sources/{bank.source.id}"


def key_shown(html: str) -> str:
    found = re.search(r'class="secret"[^>]*>([^<]+)<', html)
    assert found, "the new key is shown"
    return found.group(1)


def send(client: FlaskClient, key: str, *events: object) -> int:
    return client.post("/v1/batch", json={"batch": list(events) or [track()]}, headers=basic(key)).status_code


def refusal(client: FlaskClient, key: str) -> str:
    answer = client.post("/v1/batch", json={"batch": [track()]}, headers=basic(key))
    return (answer.json or {}).get("code", "") if answer.status_code != 200 else ""


def acts(bank: Bank, family: str = "source") -> list[str]:
    rows = bank.session.exec(
        select(AuditEntry.act).where(col(AuditEntry.act).startswith(family)).order_by(col(AuditEntry.id))
    )
    return list(rows)


@contextmanager
def statements(runtime: Runtime) -> Iterator[list[str]]:
    """What the database is asked meanwhile."""
    asked: list[str] = []

    def note(_: object, __: object, statement: str, *___: object) -> None:
        asked.append(statement)

    event.listen(runtime.engine, "before_cursor_execute", note)
    yield asked
    event.remove(runtime.engine, "before_cursor_execute", note)


# -- keys ---------------------------------------------------------------------------------------------------


def test_a_new_source_gets_a_key_that_is_shown_once_and_kept_as_a_hash(
    bank: Bank, sign_in: SignIn, client: FlaskClient
) -> None:
    browser = enter(bank, sign_in, Role.ADMIN)
    shown = browser.post("/admin/sources", data={"name": " web  shop ", "lateness": "3", "requests": "50"})
    key = key_shown(shown.text)
    assert send(client, key) == 200
    source = bank.session.exec(select(EventSource).where(EventSource.name == "web shop")).one()
    assert (source.lateness_seconds, source.requests_per_second) == (3.0, 50)
    row = bank.session.exec(select(WriteKey).where(WriteKey.source_id == source.id)).one()
    assert row.hint == key[-4:] and key not in row.key_hash and row.created_by is not None
    (entry,) = bank.session.exec(select(AuditEntry).where(AuditEntry.act == "source.added"))
    assert entry.detail == {"hint": key[-4:], "lateness_seconds": 3.0, "requests_per_second": 50}
    for address in ("/admin/sources", f"/admin/sources/{source.id}?show=settings"):
        html = browser.get(address).text
        assert key not in html and f"…{key[-4:]}" in html


@pytest.mark.parametrize(
    ("form", "status", "says"),
    [
        ({"name": "app", "lateness": "5"}, 409, "There is a source of this name."),
        ({"name": " ", "lateness": "5"}, 400, "Give the source a name"),
        ({"name": "x\x00y", "lateness": "5"}, 400, "Give the source a name"),
        ({"name": "x" * 61, "lateness": "5"}, 400, "Give the source a name"),
        ({"name": "shop", "lateness": "soon"}, 400, "are numbers"),
        ({"name": "shop", "lateness": "nan"}, 400, "Lateness is between"),
        ({"name": "shop", "lateness": "3601"}, 400, "Lateness is between"),
        ({"name": "shop", "lateness": "5", "requests": "0"}, 400, "Requests per second are between"),
    ],
)
def test_a_form_that_cannot_be_accepted_comes_back_with_what_was_typed(
    bank: Bank, sign_in: SignIn, form: dict[str, str], status: int, says: str
) -> None:
    answer = enter(bank, sign_in, Role.ADMIN).post("/admin/sources", data=form)
    assert answer.status_code == status and says in answer.text
    assert f'value="{form["lateness"]}"' in answer.text
    assert len(bank.session.exec(select(EventSource)).all()) == 1


@pytest.mark.parametrize(("old", "hours"), [("now", 0), ("1h", 1), ("24h", 24), ("7d", 168)])
def test_a_rotated_key_works_at_once_and_the_old_one_until_its_end(
    bank: Bank, sign_in: SignIn, client: FlaskClient, old: str, hours: int
) -> None:
    browser = enter(bank, sign_in, Role.ADMIN)
    new = key_shown(browser.post(page_of(bank) + "/keys", data={"old": old}).text)
    assert send(client, new) == 200
    if hours:
        bank.clock.go_on(hours=hours, seconds=-1)
        assert send(client, "key") == 200
        bank.clock.go_on(seconds=1)
    assert refusal(client, "key") == "unknown_write_key"
    assert send(client, new) == 200
    assert acts(bank) == ["source.keyed"]


def test_rotating_again_never_makes_an_old_key_live_longer(bank: Bank, sign_in: SignIn) -> None:
    browser = enter(bank, sign_in, Role.ADMIN)
    browser.post(page_of(bank) + "/keys", data={"old": "1h"})
    browser.post(page_of(bank) + "/keys", data={"old": "7d"})
    ends = [key.ends_at for key in bank.session.exec(select(WriteKey).order_by(col(WriteKey.id)))]
    spans = [None if end is None else (end - bank.clock.now).total_seconds() / 3600 for end in ends]
    assert spans == [1, 168, None]
    assert browser.post(page_of(bank) + "/keys", data={"old": "never"}).status_code == 400


def test_a_key_that_is_ended_is_refused_within_five_seconds_and_stays_ended(
    bank: Bank, sign_in: SignIn, client: FlaskClient
) -> None:
    browser = enter(bank, sign_in, Role.ADMIN)
    assert send(client, "key") == 200
    key = bank.session.exec(select(WriteKey)).one()
    end = f"{page_of(bank)}/keys/{key.id}/end"
    assert browser.post(end, headers=HTMX).status_code == 200
    bank.clock.go_on(seconds=FRESH.total_seconds())
    assert refusal(client, "key") == "unknown_write_key"
    ended_at = bank.clock.go_on(hours=1)
    browser.post(end)
    bank.session.refresh(key)
    assert key.ends_at is not None and key.ends_at < ended_at
    other = f"/admin/sources/{UUID(int=1)}/keys/{key.id}/end"
    assert browser.post(other, headers=HTMX).status_code == 404
    assert browser.post(f"{page_of(bank)}/keys/999/end", headers=HTMX).status_code == 404


def test_a_source_that_is_switched_off_is_refused_and_taken_again_when_on(
    bank: Bank, sign_in: SignIn, client: FlaskClient
) -> None:
    browser = enter(bank, sign_in, Role.ADMIN)
    assert send(client, "key") == 200
    assert "Switched off" in browser.post(page_of(bank) + "/disable", headers=HTMX).text
    bank.clock.go_on(seconds=5)
    assert refusal(client, "key") == "source_disabled"
    assert browser.post(page_of(bank) + "/enable").headers["Location"].endswith("?show=settings")
    bank.clock.go_on(seconds=5)
    assert send(client, "key") == 200
    assert acts(bank) == ["source.disabled", "source.enabled"]


# -- limits and the hot path --------------------------------------------------------------------------------


def test_a_key_seen_lately_costs_no_query(app: Flask, bank: Bank, runtime: Runtime) -> None:
    client = app.test_client()
    with statements(runtime) as asked:
        assert client.get("/v1/projects/key/settings").status_code == 200
    assert [one for one in asked if "write_key" in one]
    with statements(runtime) as asked:
        for _ in range(5):
            assert client.get("/v1/projects/key/settings").status_code == 200
    assert asked == []
    bank.clock.go_on(seconds=FRESH.total_seconds())
    with statements(runtime) as asked:
        client.get("/v1/projects/key/settings")
    assert len([one for one in asked if "write_key" in one]) == 1


def test_a_key_nobody_knows_costs_one_query_and_works_as_soon_as_it_is_made(
    app: Flask, bank: Bank, runtime: Runtime
) -> None:
    client = app.test_client()
    with statements(runtime) as asked:
        assert refusal(client, "unheard-of") == "unknown_write_key"
    assert len(asked) == 1
    from callcenter.intake import service as intake

    intake.add_source(bank.session, "late", "unheard-of", 1.0, bank.clock.now)
    bank.session.commit()
    assert send(client, "unheard-of") == 200


def test_each_source_has_its_own_limit(
    bank: Bank, sign_in: SignIn, client: FlaskClient, runtime: Runtime
) -> None:
    browser = enter(bank, sign_in, Role.ADMIN)
    saved = browser.post(page_of(bank) + "/limits", data={"lateness": "1", "requests": "3"}, headers=HTMX)
    assert saved.status_code == 200 and 'value="3"' in saved.text
    codes = [refusal(client, "key") for _ in range(5)]
    assert codes == ["", "", "", "too_many_requests", "too_many_requests"]
    browser.post(page_of(bank) + "/limits", data={"lateness": "1", "requests": "5000"})
    bank.clock.go_on(seconds=5)
    assert send(client, "key") == 200, "the new limit is known now"
    now = bank.clock.go_on(seconds=1)
    runtime.redis.set(collector_count("key", now), policy.MAX_REQUESTS_PER_SECOND + 1, ex=60)
    assert send(client, "key") == 200
    assert acts(bank) == ["source.changed", "source.changed"]


def test_the_memory_of_keys_is_bounded_and_forgets_the_one_read_longest_ago(bank: Bank) -> None:
    from callcenter.intake.queries import KnownKey

    kept, now, asked = Admissions(), bank.clock.now, []

    def ask(name: str) -> None:
        def answer() -> KnownKey:
            asked.append(name)
            return KnownKey(bank.source, None)

        kept.known(name, now, answer)

    for number in range(MOST_KEYS + 1):
        ask(f"key-{number}")
    ask(f"key-{MOST_KEYS}")
    assert len(asked) == MOST_KEYS + 1
    ask("key-0")
    assert asked[-1] == "key-0", "it had been forgotten"


# -- pages --------------------------------------------------------------------------------------------------


def test_a_strategist_may_look_and_change_nothing(bank: Bank, sign_in: SignIn) -> None:
    browser = enter(bank, sign_in, Role.STRATEGIST)
    for address in ("/admin/sources", page_of(bank), *(f"{page_of(bank)}?show={tab}" for tab in
                    ("schema", "rejected", "settings"))):  # fmt: skip
        html = browser.get(address).text
        own = [form for form in re.findall(r"<form\b.*?</form>", html, re.S) if "/admin/" in form]
        assert own == [] and 'id="state"' in html
    for act in ("", f"/{bank.source.id}/keys", f"/{bank.source.id}/disable", f"/{bank.source.id}/limits"):
        assert browser.post("/admin/sources" + act, data={"old": "now"}).status_code == 403
    assert enter(bank, sign_in, Role.SUPERVISOR).get("/admin/sources").status_code == 403


def test_accepted_events_appear_with_their_step_and_a_masked_customer(bank: Bank, sign_in: SignIn) -> None:
    browser = enter(bank, sign_in, Role.ADMIN)
    assert "Nothing has come in lately." in browser.get(page_of(bank)).text
    bank.sends("customer-20931", "id_photo_front")
    bank.sends(None, "looked_around", device="d-1")
    html = browser.get(page_of(bank)).text
    rows = [words(row) for row in re.findall(r"<tr id=\"event-.*?</tr>", html, re.S)]
    assert any(re.match(r"12:00:00 Loan page ID photo Loan ••0931", row) for row in rows), rows
    assert any(re.match(r"12:00:00 looked_around track no place device [0-9a-f]{4}", row) for row in rows), (
        rows
    )
    assert "customer-20931" not in html
    assert 'data-live="/live/studio"' in html and "Last minute 0 events" in words(html)
    bank.clock.go_on(seconds=60)
    assert "Last minute 2 events Last hour 2 events at most 2 a minute" in words(
        browser.get(page_of(bank)).text
    )


def test_properties_are_shown_on_demand_without_what_tells_who_somebody_is(
    bank: Bank, sign_in: SignIn
) -> None:
    browser = enter(bank, sign_in, Role.ADMIN)
    secrets: dict[str, Any] = {
        "phone": "+8613800138000",
        "note": "call 138 0013 8000 or wei@bank.example",
        "full_name": "陈伟",
    }
    bank.sends("u1", "photo_rejected", reason="glare", contact={"email": "wei@bank.example"}, **secrets)
    listed = browser.get(page_of(bank)).text
    assert "glare" not in listed
    (link,) = re.findall(r'href="([^"]+event=[^"]+)"', listed)
    html = browser.get(link.replace("&amp;", "&")).text
    assert "&#34;reason&#34;: &#34;glare&#34;" in html and "2 s" not in html
    for secret in ("13800138000", "138 0013", "wei@bank", "陈伟"):
        assert secret not in html
    unknown = f"{page_of(bank)}?event={UUID(int=7)}"
    assert browser.get(unknown).status_code == 404
    assert browser.get(f"{page_of(bank)}?event=7").status_code == 400


def test_the_schema_seen_tells_types_shares_and_an_example(bank: Bank, sign_in: SignIn) -> None:
    for number in range(4):
        extra: dict[str, Any] = {"attempt": number if number < 3 else "3"} | (
            {"phone": "+8613800138000"} if number else {}
        )
        bank.sends(f"u{number}", "photo_rejected", reason="glare", loan={"amount": 5000}, **extra)
        bank.clock.go_on(seconds=1)
    html = enter(bank, sign_in, Role.ADMIN).get(page_of(bank) + "?show=schema").text
    rows = [words(row) for row in re.findall(r"<tr.*?</tr>", html, re.S)]
    assert "photo_rejected track 4 100 % of all 12:00 – 12:00" in rows
    assert "attempt number, text 4 100 % 3" in rows, "the newest stands as the example"
    assert "loan.amount number 4 100 % 5000" in rows
    assert "phone text 3 75 % •••" in rows
    assert "13800138000" not in html and "data-live" not in html, "it polls: thousands of events are read"


def test_only_the_last_events_of_the_source_are_read(bank: Bank, session: Session) -> None:
    from callcenter.intake import inspector

    bank.sends("u1", "old_one")
    bank.clock.go_on(hours=30)
    for number in range(3):
        bank.sends("u1", f"new_{number}")
        bank.clock.go_on(minutes=20)
    found = inspector.last_events(session, bank.source.id, bank.clock.now, 10)
    assert [one.name for one in found] == ["new_2", "new_1", "new_0", "old_one"]
    assert [one.name for one in inspector.last_events(session, bank.source.id, bank.clock.now, 2)] == [
        "new_2",
        "new_1",
    ]
    few = inspector.last_events(session, bank.source.id, bank.clock.now, 10, looked_at=3)
    assert [one.name for one in few] == ["new_2", "new_1", "new_0"]
    assert inspector.last_events(session, UUID(int=1), bank.clock.now, 10) == []


def test_pages_read_in_chinese_with_data_and_without(bank: Bank, sign_in: SignIn) -> None:
    browser = enter(bank, sign_in, Role.ADMIN, "zh")
    for tab in ("events", "schema", "rejected", "settings"):
        assert 'lang="zh-CN"' in browser.get(f"{page_of(bank)}?show={tab}").text
    bank.sends("u1", "id_photo_front")
    bank.takes({"type": "track", "event": "x"})
    assert "没有指明对象" in browser.get(f"{page_of(bank)}?show=rejected").text
    assert "谁在发送事件" in browser.get("/admin/sources").text


def test_the_list_tells_what_each_source_sends(bank: Bank, sign_in: SignIn) -> None:
    bank.sends("u1", "id_photo_front")
    bank.takes({"type": "track", "event": "x"}, {"type": "track", "event": "x"})
    bank.clock.go_on(seconds=60)
    html = enter(bank, sign_in, Role.ADMIN).get("/admin/sources").text
    (row,) = [words(row) for row in re.findall(r"<tr class.*?</tr>", html, re.S)]
    assert re.match(r"app 1 1 min 0 s ago 2 2 rejected … ?key On", row), row


def test_unknown_sources_and_tabs_do_not_break_the_page(bank: Bank, sign_in: SignIn) -> None:
    browser = enter(bank, sign_in, Role.ADMIN)
    assert browser.get(f"/admin/sources/{UUID(int=1)}").status_code == 404
    assert browser.get(page_of(bank) + "?show=nothing").status_code == 200
    for asked in ("refused=9", "refused=abc", "code=a%00b", "event=%00", "refused=" + "9" * 40):
        assert browser.get(f"{page_of(bank)}?show=rejected&{asked}").status_code in (200, 400, 404)
