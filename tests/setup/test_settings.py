from decimal import Decimal
from pathlib import Path

import pytest

from callcenter.config import SIMULATOR_ACCOUNT_SID, crm_url, load_settings
from callcenter.errors import ConfigError
from callcenter.home import open_home
from callcenter.telephony.simulator.settings import DEFAULT_API_KEY_SECRET, DEFAULT_API_KEY_SID
from callcenter.telephony.twilio import account_from

PRODUCTION = {
    "CALLCENTER_ENV": "production",
    "SECRET_KEY": "k" * 40,
    "NUMBER_KEY": "n" * 40,
    "DATABASE_URL": "postgres://app:pw@db/callcenter",
    "REDIS_URL": "redis://doorbell:6379/0",
    "CARRIER": "twilio",
    "TWILIO_ACCOUNT_SID": "AC" + "1" * 32,
    "TWILIO_AUTH_TOKEN": "token",
    "CALLER_ID": "+15005550006",
    "PUBLIC_BASE_URL": "https://calls.example.com/",
}


def problems(environ: dict[str, str]) -> tuple[str, ...]:
    with pytest.raises(ConfigError) as refused:
        load_settings(environ)
    return refused.value.problems


def test_an_empty_environment_is_a_loopback_demo() -> None:
    settings = load_settings({})
    assert (settings.environment, settings.host, settings.port, settings.demo) == (
        "demo",
        "127.0.0.1",
        8000,
        True,
    )
    assert settings.home == Path.cwd() / "var"
    assert settings.public_base_url == "http://127.0.0.1:8000"
    assert (settings.carrier, settings.twilio_account_sid) == ("simulator", SIMULATOR_ACCOUNT_SID)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("PORT", "abc"),
        ("PORT", "0"),
        ("PORT", "70000"),
        ("PORT", "²"),
        ("DEMO", "perhaps"),
        ("CALLCENTER_ENV", "staging"),
        ("CARRIER", "pigeon"),
        ("AGENT_HOUR_COST", "45"),
        ("AGENT_HOUR_COST", "45 yuan"),
        ("AGENT_HOUR_COST", "-1 CNY"),
        ("CRM_URL_TEMPLATE", "http://crm.bank.example/{customer_id}"),
        ("CRM_URL_TEMPLATE", "https://crm.bank.example/customers"),
        ("CRM_URL_TEMPLATE", "https://{customer_id}.bank.example/"),
        ("CRM_URL_TEMPLATE", "https://user:word@crm.bank.example/{customer_id}"),
        ("CRM_URL_TEMPLATE", "https://crm.bank.example/{customer_id}/{number}"),
        ("CRM_URL_TEMPLATE", "javascript:alert({customer_id})"),
        ("CRM_URL_TEMPLATE", "https:///{customer_id}"),
        ("CALLER_ID", "0612345678"),
        ("CALLS_PER_SECOND", "0"),
        ("CALLS_PER_SECOND", "nan"),
        ("RECORD_CALLS", "sometimes"),
        ("ANSWERING_MACHINE_DETECTION", "2"),
        ("TWILIO_APP_SID", "AC" + "1" * 32),
        ("PUBLIC_BASE_URL", "calls.example.com"),
        ("CARRIER_BASE_URL", "http://x/path"),
        ("WEB_WORKERS", "-1"),
        ("LOG_LEVEL", "LOUD"),
        ("MIN_FREE_MB", "1e3"),
    ],
)
def test_nonsense_is_refused_by_name_and_value(name: str, value: str) -> None:
    (problem,) = problems({name: value})
    assert problem.startswith(name)
    assert value in problem


def test_every_problem_is_named_at_once() -> None:
    named = problems({"PORT": "abc", "DEMO": "x", "TWILIO_API_KEY_SID": "SK1"})
    assert [problem.split()[0] for problem in named] == ["DEMO", "PORT", "TWILIO_API_KEY_SID"] or len(
        named
    ) == 3


def test_a_refused_server_address_never_shows_its_password() -> None:
    (problem,) = problems({"DATABASE_URL": "mysql://app:hunter2@db/x"})
    assert problem.startswith("DATABASE_URL")
    assert "hunter2" not in problem


def test_settings_never_show_a_secret() -> None:
    keys = {
        "TWILIO_API_KEY_SID": "SK1",
        "TWILIO_API_KEY_SECRET": "key-secret",
        "TWILIO_SHARED_KEY_SECRET": "shared-secret",
    }
    settings = load_settings({**PRODUCTION, **keys})
    shown = repr(settings) + repr(account_from(settings))
    for secret in ("k" * 40, "n" * 40, "app:pw", "'token'", "key-secret", "shared-secret"):
        assert secret not in shown


def test_a_secret_may_come_from_a_file(tmp_path: Path) -> None:
    (tmp_path / "key").write_text("s" * 40 + "\n")
    without = {name: value for name, value in PRODUCTION.items() if name != "SECRET_KEY"}
    assert load_settings({**without, "SECRET_KEY_FILE": str(tmp_path / "key")}).secret_key == "s" * 40


def test_a_secret_both_ways_or_from_a_missing_file_is_refused(tmp_path: Path) -> None:
    missing = str(tmp_path / "none")
    assert "not both" in problems({**PRODUCTION, "SECRET_KEY_FILE": missing})[0]
    assert any("cannot be read" in problem for problem in problems({"TWILIO_AUTH_TOKEN_FILE": missing}))


def test_production_needs_a_number_key_and_names_of_packs() -> None:
    without = {name: value for name, value in PRODUCTION.items() if name != "NUMBER_KEY"}
    assert any("NUMBER_KEY" in problem for problem in problems(without))
    assert load_settings({**PRODUCTION, "POLICY_PACKS": "cn-bank, uk"}).policy_packs == ("cn-bank", "uk")
    assert any("POLICY_PACKS" in problem for problem in problems({**PRODUCTION, "POLICY_PACKS": "a b"}))


def test_production_settings_are_accepted_and_made_plain() -> None:
    settings = load_settings(PRODUCTION)
    assert settings.database_url == "postgresql+psycopg://app:pw@db/callcenter"
    assert settings.public_base_url == "https://calls.example.com"
    assert settings.demo is False


@pytest.mark.parametrize("name", [name for name in PRODUCTION if name != "CALLCENTER_ENV"])
def test_production_does_not_start_without(name: str) -> None:
    without = {key: value for key, value in PRODUCTION.items() if key != name}
    assert any(name in problem for problem in problems(without))


def test_production_does_not_take_up_a_demo_s_secrets(tmp_path: Path) -> None:
    home = {"CALLCENTER_HOME": str(tmp_path / "home")}
    assert open_home(load_settings(home)).secret_key
    without = {key: value for key, value in PRODUCTION.items() if key != "SECRET_KEY"}
    assert any("SECRET_KEY" in problem for problem in problems({**without, **home}))


def test_a_demo_does_not_leave_loopback() -> None:
    assert problems({"HOST": "0.0.0.0"})[0].startswith("HOST")


def test_synthetic_customers_never_meet_a_real_carrier() -> None:
    carrier = ("CARRIER", "TWILIO", "CALLER_ID")
    real = {name: value for name, value in PRODUCTION.items() if name.startswith(carrier)}
    assert load_settings(real).demo is False
    assert problems({**real, "DEMO": "1"})[0].startswith("DEMO must be 0")


def test_a_demo_makes_its_secrets_once(tmp_path: Path) -> None:
    environ = {"CALLCENTER_HOME": str(tmp_path / "home")}
    first = open_home(load_settings(environ))
    again = load_settings(environ)
    assert len(first.secret_key) >= 32
    assert first.secret_key != first.twilio_auth_token
    assert (again.secret_key, again.twilio_auth_token) == (first.secret_key, first.twilio_auth_token)
    assert (tmp_path / "home" / "secrets" / "secret_key").stat().st_mode & 0o077 == 0


def test_processes_read_the_same_settings_again(tmp_path: Path) -> None:
    settings = open_home(load_settings({"CALLCENTER_HOME": str(tmp_path / "home"), "PORT": "8123"}))
    assert load_settings(settings.as_environ()) == settings
    switched = {"RECORD_CALLS": "1", "ANSWERING_MACHINE_DETECTION": "1", "TWILIO_APP_SID": "AP" + "1" * 32}
    for environ in (PRODUCTION, {**PRODUCTION, **switched, "TWILIO_SHARED_KEY_SECRET": "s"}):
        assert load_settings(load_settings(environ).as_environ()) == load_settings(environ)


def test_nothing_is_recorded_and_nobody_listens_for_machines_unless_asked() -> None:
    for environ in ({}, PRODUCTION):
        settings = load_settings(environ)
        assert (settings.record_calls, settings.answering_machine_detection) == (False, False)


def test_the_simulator_s_softphones_need_no_key_and_real_ones_do() -> None:
    simulated, real = account_from(load_settings({})), account_from(load_settings(PRODUCTION))
    assert (simulated.api_key_sid, simulated.api_key_secret) == (DEFAULT_API_KEY_SID, DEFAULT_API_KEY_SECRET)
    assert simulated.base_url == "http://127.0.0.1:4010"
    assert (real.api_key_sid, real.base_url) == (None, None)


def test_an_hour_of_an_agent_has_a_price_and_a_currency() -> None:
    settings = load_settings({"AGENT_HOUR_COST": "45.50 CNY"})
    assert settings.agent_hour_cost == (Decimal("45.50"), "CNY")
    assert load_settings(settings.as_environ()).agent_hour_cost == settings.agent_hour_cost
    assert load_settings({}).agent_hour_cost is None


def test_the_link_to_the_bank_s_own_system_leads_where_the_template_says() -> None:
    template = "https://crm.bank.example/people/{customer_id}?tab=calls"
    settings = load_settings({"CRM_URL_TEMPLATE": template})
    assert settings.crm_url_template == template
    assert load_settings(settings.as_environ()).crm_url_template == template
    assert crm_url(template, "c-71") == "https://crm.bank.example/people/c-71?tab=calls"
    assert crm_url(template, "../a?b=c#d/{x}") == (
        "https://crm.bank.example/people/..%2Fa%3Fb%3Dc%23d%2F%7Bx%7D?tab=calls"
    )
