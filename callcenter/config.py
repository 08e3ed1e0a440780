"""Settings from the environment, typed and checked once, at the start.

`load_settings` reads only: it takes a mapping and, for `X_FILE` and the demo's own secrets, files. It names
every problem at once. What has to be created in the home directory is `callcenter.home`'s business.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Literal, TypeVar, cast
from urllib.parse import quote, urlsplit

from callcenter.errors import ConfigError

T = TypeVar("T")
Environment = Literal["demo", "production"]
Carrier = Literal["simulator", "twilio"]

SIMULATOR_ACCOUNT_SID = "AC" + "0" * 32
"""The account the simulator knows; a real account never has this number."""
SIMULATOR_CALLER_ID = "+15005550006"
"""Twilio's published test number that is always a valid caller."""
SIMULATOR_API_KEY_SID = "SK00000000000000000000000000000510"
SIMULATOR_API_KEY_SECRET = "carrier-sim-secret-for-loopback-only"  # noqa: S105  opens nothing but the simulator
"""The key that signs softphone tokens in front of the simulator."""
GENERATED_SECRETS = ("secret_key", "simulator_auth_token", "number_key")
"""Files below `home/secrets/` a demo makes for itself."""


@dataclass(frozen=True, kw_only=True)
class Settings:
    """Everything the environment decides.

    `secret_key` and `twilio_auth_token` are empty in a demo whose home has not been opened yet
    (`callcenter.home.open_home` fills them); in production they are never empty.
    """

    home: Path
    environment: Environment
    host: str
    port: int
    public_base_url: str
    demo: bool
    database_url: str | None = field(repr=False)
    redis_url: str | None = field(repr=False)
    secret_key: str = field(repr=False)
    number_key: str = field(repr=False)
    """Under it numbers stand in suppression lists; lists made under another key cannot be read."""
    policy_packs: tuple[str, ...]
    """Packs that apply to every call; others join by the customer's region."""
    carrier: Carrier
    carrier_sim_port: int
    carrier_base_url: str | None
    twilio_account_sid: str
    twilio_auth_token: str = field(repr=False)
    twilio_api_key_sid: str | None
    twilio_api_key_secret: str | None = field(repr=False)
    twilio_app_sid: str | None
    twilio_shared_key_secret: str | None = field(repr=False)
    caller_id: str
    bank_name: str
    calls_per_second: float
    """Calls the product starts per second, all workers together; also the pace of the simulator's queue."""
    record_calls: bool
    answering_machine_detection: bool
    web_workers: int
    worker_count: int
    log_level: str
    min_free_mb: int
    """Free space, in MB of the file system below `home`, under which nothing is started."""
    lost_call_look_seconds: int
    lost_call_absent_seconds: int
    """A call never heard of is looked for at the carrier this long before it counts as never placed."""
    retry_after_seconds: int
    """After a try that reached nobody; the compliance gate may want more."""
    event_retention_days: int
    """Weeks of events that ended longer ago are moved from the database to the archive."""
    screening_retention_days: int
    """Screening decisions older than this are removed; the chain over them stays."""
    agent_state_retention_days: int
    """Agents' states are removed after so long, but for each one's last; longer than any report reaches."""
    floor_retention_days: int
    """Alerts that are over and acts on many call tasks that were done are removed after so long."""
    band_retention_days: int
    """Visits by which the waits of retired versions were judged are removed after so long."""
    learning_hour: int
    """At which hour of UTC the night's learning begins."""
    global_holdout: float
    """The share of customers whom no rule calls, so that the effect of all rules together can be told."""
    crm_url_template: str | None
    """Where a customer's page is in the bank's own system; `{customer_id}` stands for the bank's id of them."""
    agent_hour_cost: tuple[Decimal, str] | None
    """What an hour of an agent's time costs the bank, and in which currency; without it effects tell minutes."""

    def as_environ(self) -> dict[str, str]:
        """The environment variables from which `load_settings` gives these same settings again."""
        values: dict[str, object | None] = {
            "CALLCENTER_HOME": self.home,
            "CALLCENTER_ENV": self.environment,
            "HOST": self.host,
            "PORT": self.port,
            "PUBLIC_BASE_URL": self.public_base_url,
            "DEMO": int(self.demo),
            "DATABASE_URL": self.database_url,
            "REDIS_URL": self.redis_url,
            "SECRET_KEY": self.secret_key or None,
            "NUMBER_KEY": self.number_key or None,
            "POLICY_PACKS": ",".join(self.policy_packs),
            "CARRIER": self.carrier,
            "CARRIER_SIM_PORT": self.carrier_sim_port,
            "CARRIER_BASE_URL": self.carrier_base_url,
            "TWILIO_ACCOUNT_SID": self.twilio_account_sid,
            "TWILIO_AUTH_TOKEN": self.twilio_auth_token or None,
            "TWILIO_API_KEY_SID": self.twilio_api_key_sid,
            "TWILIO_API_KEY_SECRET": self.twilio_api_key_secret,
            "TWILIO_APP_SID": self.twilio_app_sid,
            "TWILIO_SHARED_KEY_SECRET": self.twilio_shared_key_secret,
            "CALLER_ID": self.caller_id,
            "BANK_NAME": self.bank_name,
            "CALLS_PER_SECOND": self.calls_per_second,
            "RECORD_CALLS": int(self.record_calls),
            "ANSWERING_MACHINE_DETECTION": int(self.answering_machine_detection),
            "WEB_WORKERS": self.web_workers,
            "WORKER_COUNT": self.worker_count,
            "LOG_LEVEL": self.log_level,
            "MIN_FREE_MB": self.min_free_mb,
            "LOST_CALL_LOOK_SECONDS": self.lost_call_look_seconds,
            "LOST_CALL_ABSENT_SECONDS": self.lost_call_absent_seconds,
            "RETRY_AFTER_SECONDS": self.retry_after_seconds,
            "EVENT_RETENTION_DAYS": self.event_retention_days,
            "SCREENING_RETENTION_DAYS": self.screening_retention_days,
            "AGENT_STATE_RETENTION_DAYS": self.agent_state_retention_days,
            "FLOOR_RETENTION_DAYS": self.floor_retention_days,
            "BAND_RETENTION_DAYS": self.band_retention_days,
            "LEARNING_HOUR": self.learning_hour,
            "GLOBAL_HOLDOUT": self.global_holdout,
            "CRM_URL_TEMPLATE": self.crm_url_template,
            "AGENT_HOUR_COST": " ".join(map(str, self.agent_hour_cost)) if self.agent_hour_cost else None,
        }
        return {name: str(value) for name, value in values.items() if value is not None}


def archive_folder(settings: Settings) -> Path:
    """Return the folder of the weeks of events that have left the database."""
    return settings.home / "archive"


class _Reader:
    """Takes values out of the environment and remembers what was wrong with them."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self.environ = environ
        self.problems: list[str] = []

    def text(self, name: str, default: str = "") -> str:
        return self.environ.get(name, "").strip() or default

    def parsed(self, name: str, default: T, parse: Callable[[str], T], expected: str) -> T:
        raw = self.text(name)
        if not raw:
            return default
        try:
            return parse(raw)
        except ValueError:
            self.problems.append(f"{name} must be {expected}, not {raw!r}")
            return default

    def secret(self, name: str) -> str:
        """The value of `name`, or the content of the file `name`_FILE names; both at once is a mistake."""
        raw, path = self.text(name), self.text(f"{name}_FILE")
        if raw and path:
            self.problems.append(f"set {name} or {name}_FILE, not both")
        if raw or not path:
            return raw
        try:
            return Path(path).read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError) as error:
            reason = error.strerror if isinstance(error, OSError) else "not UTF-8 text"
            self.problems.append(f"{name}_FILE cannot be read: {path}: {reason}")
            return ""

    def require(self, holds: bool, problem: str) -> None:
        if not holds:
            self.problems.append(problem)


def load_settings(environ: Mapping[str, str]) -> Settings:
    """Read and check every setting.

    In: the environment; secrets also as `X_FILE`. Out: settings that make sense together.
    Raises ConfigError that names every problem at once; never shows a secret's value.
    """
    reader = _Reader(environ)
    environment = cast(
        Environment,
        reader.parsed("CALLCENTER_ENV", "demo", _one_of("demo", "production"), "demo or production"),
    )
    carrier = cast(
        Carrier, reader.parsed("CARRIER", "simulator", _one_of("simulator", "twilio"), "simulator or twilio")
    )
    is_production = environment == "production"
    home = _home(reader)
    port = reader.parsed("PORT", 8000, _port, "a port number from 1 to 65535")
    settings = Settings(
        home=home,
        environment=environment,
        host=reader.text("HOST", "127.0.0.1"),
        port=port,
        public_base_url=reader.parsed(
            "PUBLIC_BASE_URL", f"http://127.0.0.1:{port}", _base_url, "an http(s) address without a path"
        ),
        demo=reader.parsed("DEMO", not is_production and carrier == "simulator", _flag, "0 or 1"),
        database_url=_server_url(reader, "DATABASE_URL", _DATABASE_SCHEMES),
        redis_url=_server_url(reader, "REDIS_URL", ("redis", "rediss", "unix")),
        secret_key=reader.secret("SECRET_KEY") or _kept_secret(home, "secret_key", environment),
        number_key=reader.secret("NUMBER_KEY") or _kept_secret(home, "number_key", environment),
        policy_packs=reader.parsed(
            "POLICY_PACKS", ("cn-bank",), _names, "names of policy packs, separated by commas, as cn-bank"
        ),
        carrier=carrier,
        carrier_sim_port=reader.parsed("CARRIER_SIM_PORT", 4010, _port, "a port number from 1 to 65535"),
        carrier_base_url=reader.parsed(
            "CARRIER_BASE_URL", None, _base_url, "an http(s) address without a path"
        ),
        twilio_account_sid=reader.text(
            "TWILIO_ACCOUNT_SID", SIMULATOR_ACCOUNT_SID if carrier == "simulator" else ""
        ),
        twilio_auth_token=reader.secret("TWILIO_AUTH_TOKEN") or _simulator_token(home, carrier, environment),
        twilio_api_key_sid=reader.text("TWILIO_API_KEY_SID") or None,
        twilio_api_key_secret=reader.secret("TWILIO_API_KEY_SECRET") or None,
        twilio_app_sid=reader.parsed(
            "TWILIO_APP_SID", None, _app_sid, "AP followed by 32 hexadecimal digits"
        ),
        twilio_shared_key_secret=reader.secret("TWILIO_SHARED_KEY_SECRET") or None,
        caller_id=reader.parsed(
            "CALLER_ID",
            SIMULATOR_CALLER_ID if carrier == "simulator" else "",
            _e164,
            "a number in E.164 form, as +15005550006",
        ),
        bank_name=reader.text("BANK_NAME", "Example Bank"),
        calls_per_second=reader.parsed(
            "CALLS_PER_SECOND", 1.0, _rate, "a number above 0 and at most 100 calls a second"
        ),
        record_calls=reader.parsed("RECORD_CALLS", False, _flag, "0 or 1"),
        answering_machine_detection=reader.parsed("ANSWERING_MACHINE_DETECTION", False, _flag, "0 or 1"),
        web_workers=reader.parsed("WEB_WORKERS", 2, _between(1, 64), "a number from 1 to 64"),
        worker_count=reader.parsed("WORKER_COUNT", 2, _between(1, 64), "a number from 1 to 64"),
        log_level=reader.parsed("LOG_LEVEL", "INFO", _log_level, "DEBUG, INFO, WARNING or ERROR"),
        min_free_mb=reader.parsed("MIN_FREE_MB", 200, _between(0, 10**9), "a number of megabytes, 0 or more"),
        lost_call_look_seconds=reader.parsed(
            "LOST_CALL_LOOK_SECONDS", 30, _between(2, 600), "a number of seconds from 2 to 600"
        ),
        lost_call_absent_seconds=reader.parsed(
            "LOST_CALL_ABSENT_SECONDS", 600, _between(10, 86_400), "a number of seconds from 10 to 86400"
        ),
        retry_after_seconds=reader.parsed(
            "RETRY_AFTER_SECONDS", 7_200, _between(1, 604_800), "a number of seconds from 1 to 604800"
        ),
        event_retention_days=reader.parsed(
            "EVENT_RETENTION_DAYS", 400, _between(7, 36_500), "a number of days from 7 to 36500"
        ),
        screening_retention_days=reader.parsed(
            "SCREENING_RETENTION_DAYS", 1_826, _between(90, 36_500), "a number of days from 90 to 36500"
        ),
        agent_state_retention_days=reader.parsed(
            "AGENT_STATE_RETENTION_DAYS", 800, _between(367, 36_500), "a number of days from 367 to 36500"
        ),
        floor_retention_days=reader.parsed(
            "FLOOR_RETENTION_DAYS", 400, _between(30, 36_500), "a number of days from 30 to 36500"
        ),
        band_retention_days=reader.parsed(
            "BAND_RETENTION_DAYS", 400, _between(90, 36_500), "a number of days from 90 to 36500"
        ),
        learning_hour=reader.parsed("LEARNING_HOUR", 18, _between(0, 23), "an hour of UTC from 0 to 23"),
        global_holdout=reader.parsed("GLOBAL_HOLDOUT", 0.02, _small_share, "a share from 0 to 0.2, as 0.02"),
        crm_url_template=reader.parsed(
            "CRM_URL_TEMPLATE", None, _crm_template, "an https address with {customer_id} after the host"
        ),
        agent_hour_cost=reader.parsed(
            "AGENT_HOUR_COST", None, _hour_cost, "an amount and a currency, for example 45.50 CNY"
        ),
    )
    _check_together(reader, settings)
    if reader.problems:
        raise ConfigError(reader.problems)
    return settings


def _check_together(reader: _Reader, settings: Settings) -> None:
    """What makes sense alone and not together, and what production may not do without."""
    reader.require(
        bool(settings.twilio_api_key_sid) == bool(settings.twilio_api_key_secret),
        "TWILIO_API_KEY_SID and TWILIO_API_KEY_SECRET belong together: set both or neither",
    )
    if settings.carrier == "twilio":
        for name, value in (
            ("TWILIO_ACCOUNT_SID", settings.twilio_account_sid),
            ("TWILIO_AUTH_TOKEN", settings.twilio_auth_token),
            ("CALLER_ID", settings.caller_id),
        ):
            reader.require(
                bool(value) or any(problem.startswith(name) for problem in reader.problems),
                f"{name} must be set when CARRIER=twilio",
            )
    reader.require(
        not settings.demo or settings.carrier == "simulator",
        "DEMO must be 0 when CARRIER=twilio: synthetic customers have no telephones",
    )
    if settings.environment == "demo":
        reader.require(
            settings.host in ("127.0.0.1", "localhost", "::1"),
            "HOST must stay 127.0.0.1 in a demo, whose sign-ins are public; set CALLCENTER_ENV=production",
        )
        return
    reader.require(
        len(settings.secret_key) >= 32,
        "SECRET_KEY must be set in production, to at least 32 random characters",
    )
    reader.require(
        len(settings.number_key) >= 32,
        "NUMBER_KEY must be set in production, to at least 32 random characters, and never change",
    )
    for name, address in (("DATABASE_URL", settings.database_url), ("REDIS_URL", settings.redis_url)):
        reader.require(
            bool(address) or any(problem.startswith(name) for problem in reader.problems),
            f"{name} must be set in production",
        )
    reader.require(settings.carrier == "twilio", "CARRIER must be twilio in production")
    reader.require(
        settings.public_base_url.startswith("https://"),
        "PUBLIC_BASE_URL must be set in production and start with https://",
    )
    reader.require(not settings.demo, "DEMO must be 0 in production")


_DATABASE_SCHEMES = ("postgresql", "postgresql+psycopg", "postgres")


def _server_url(reader: _Reader, name: str, schemes: tuple[str, ...]) -> str | None:
    """A server's address without ever repeating it: it may hold a password."""
    address = reader.secret(name)
    if not address:
        return None
    scheme, separator, rest = address.partition("://")
    if not separator or scheme not in schemes or not rest:
        reader.problems.append(f"{name} must start with {' or '.join(s + '://' for s in schemes)}")
        return None
    # SQLAlchemy needs the driver named; `postgres://` is what hosting services hand out.
    return f"postgresql+psycopg://{rest}" if schemes is _DATABASE_SCHEMES else address


def _home(reader: _Reader) -> Path:
    return Path(reader.text("CALLCENTER_HOME", "var")).expanduser().absolute()


def _kept_secret(home: Path, name: str, environment: str) -> str:
    """A secret an earlier start of this demo has made; empty when there is none."""
    if environment != "demo":
        return ""
    try:
        return (home / "secrets" / name).read_text(encoding="ascii").strip()
    except (OSError, UnicodeDecodeError):
        return ""


def _simulator_token(home: Path, carrier: str, environment: str) -> str:
    return _kept_secret(home, "simulator_auth_token", environment) if carrier == "simulator" else ""


def _one_of(*allowed: str) -> Callable[[str], str]:
    def parse(raw: str) -> str:
        if raw.lower() not in allowed:
            raise ValueError(raw)
        return raw.lower()

    return parse


def _between(least: int, most: int) -> Callable[[str], int]:
    def parse(raw: str) -> int:
        if not raw.isascii() or not raw.isdigit() or not least <= int(raw) <= most:
            raise ValueError(raw)
        return int(raw)

    return parse


_port = _between(1, 65535)


def _flag(raw: str) -> bool:
    return {"1": True, "true": True, "yes": True, "0": False, "false": False, "no": False}[
        _one_of("1", "true", "yes", "0", "false", "no")(raw)
    ]


def _rate(raw: str) -> float:
    rate = float(raw)
    if not 0 < rate <= 100:
        raise ValueError(raw)
    return rate


def _small_share(raw: str) -> float:
    share = float(raw)
    if not 0 <= share <= 0.2:
        raise ValueError(raw)
    return share


def _e164(raw: str) -> str:
    digits = raw.removeprefix("+")
    if not raw.startswith("+") or not digits.isdigit() or not digits.isascii() or not 8 <= len(digits) <= 15:
        raise ValueError(raw)
    return raw


def _names(raw: str) -> tuple[str, ...]:
    names = tuple(name.strip() for name in raw.split(",") if name.strip())
    if not names or not all(re.fullmatch(r"[a-z0-9-]{1,40}", name) for name in names):
        raise ValueError(raw)
    return names


def _app_sid(raw: str) -> str:
    if not re.fullmatch(r"AP[0-9a-fA-F]{32}", raw):
        raise ValueError(raw)
    return raw


def _base_url(raw: str) -> str:
    parts = urlsplit(raw)
    is_plain = parts.path in ("", "/") and not parts.query and not parts.fragment and "@" not in parts.netloc
    if parts.scheme not in ("http", "https") or not parts.hostname or not is_plain:
        raise ValueError(raw)
    return f"{parts.scheme}://{parts.netloc}"


def _log_level(raw: str) -> str:
    return _one_of("debug", "info", "warning", "error")(raw).upper()


_CUSTOMER_ID = "{customer_id}"


def _hour_cost(text: str) -> tuple[Decimal, str]:
    amount, _, currency = text.partition(" ")
    if not re.fullmatch(r"\d{1,9}(\.\d{1,2})?", amount) or not re.fullmatch(r"[A-Z]{3}", currency):
        raise ValueError(text)
    return Decimal(amount), currency


def _crm_template(raw: str) -> str:
    parts = urlsplit(raw)
    is_plain = not (parts.username or parts.password) and not any(sign.isspace() for sign in raw)
    after_host = f"{parts.path}?{parts.query}#{parts.fragment}"
    has_place = raw.count(_CUSTOMER_ID) == after_host.count(_CUSTOMER_ID) >= 1
    rest = raw.replace(_CUSTOMER_ID, "")
    if (
        parts.scheme != "https"
        or not parts.hostname
        or not is_plain
        or not has_place
        or set(rest) & set("{}<>\"'")
    ):
        raise ValueError
    return raw


def crm_url(template: str, customer_id: str) -> str:
    """Return the address of a customer in the bank's own system; the id cannot change where it leads."""
    return template.replace(_CUSTOMER_ID, quote(customer_id, safe=""))
