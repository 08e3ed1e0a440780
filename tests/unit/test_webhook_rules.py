"""Which addresses may be asked, what is signed, and when a telling is tried again."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from callcenter.errors import BadInput
from callcenter.webhooks.policy import LONGEST_PAUSE, TRIED_FOR
from callcenter.webhooks.rules import all_may_be_asked, next_try, read_url, rest_after, signature
from callcenter.webhooks.sending import send

NOW = datetime(2026, 11, 18, 4, 0, tzinfo=UTC)
ONE = UUID("00000000-0000-0000-0000-000000000001")


@pytest.mark.parametrize(
    "url",
    [
        "http://bank.example/hooks",
        "ftp://bank.example",
        "https://",
        "https:///hooks",
        "bank.example",
        "https://user:secret@bank.example/",
        "https://bank.example/#part",
        "https://bank.example:99999/",
        "https://[::1/",
        "https://bank.example/a b",
        "https://bank.example/\r\nX: y",
        "https://银行.example/",
        "https://bank.example/" + "x" * 500,
        "https://127.0.0.1/",
        "https://10.0.0.1/",
        "https://169.254.169.254/latest/meta-data/",
        "https://[::ffff:10.0.0.1]/",
        "https://[fd00::1]/",
    ],
)
def test_what_is_no_address_to_tell_is_refused(url: str) -> None:
    with pytest.raises(BadInput):
        read_url(url, allows_loopback=False)


def test_loopback_is_told_on_a_demo_only() -> None:
    assert read_url("http://127.0.0.1:8080/hooks?a=b", allows_loopback=True).path == "/hooks?a=b"
    assert read_url("http://localhost/", allows_loopback=True).port == 80
    for url in ("http://10.0.0.1/", "http://bank.example/"):
        with pytest.raises(BadInput):
            read_url(url, allows_loopback=True)
    target = read_url("https://bank.example", allows_loopback=False)
    assert (target.host, target.port, target.is_tls, target.path) == ("bank.example", 443, True, "/")


PRIVATE = [
    "0.0.0.0", "10.1.2.3", "100.64.0.1", "127.0.0.1", "169.254.169.254", "172.16.0.1", "192.168.1.1",
    "192.0.2.1", "198.18.0.1", "224.0.0.1", "240.0.0.1", "255.255.255.255", "::", "::1", "fe80::1",
    "fe80::1%eth0", "fd12::1", "ff02::1", "::ffff:127.0.0.1", "::ffff:169.254.169.254", "64:ff9b::a9fe:a9fe",
    "2002:7f00:1::", "2001:0:4136:e378:8000:63bf:3fff:fdd2", "::10.0.0.1", "2001:db8::1", "nonsense",
]  # fmt: skip


@pytest.mark.parametrize("address", PRIVATE)
def test_no_private_address_is_asked_however_it_is_written(address: str) -> None:
    assert not all_may_be_asked([address], allows_loopback=False)
    assert not all_may_be_asked(["93.184.215.14", address], allows_loopback=False)


def test_public_addresses_are_asked() -> None:
    assert all_may_be_asked(["93.184.215.14", "2606:2800:21f:cb07::1"], allows_loopback=False)
    assert not all_may_be_asked([], allows_loopback=True)
    assert all_may_be_asked(["127.0.0.1", "::1"], allows_loopback=True)


def test_a_name_that_leads_to_this_machine_is_not_asked_in_production() -> None:
    assert send("https://localhost/", {}, b"{}", allows_loopback=False).error == "address_not_allowed"
    assert send("http://localhost/", {}, b"{}", allows_loopback=False).error == "address_not_allowed"
    assert send("https://no-such-host.invalid/", {}, b"{}", allows_loopback=False).error == "unknown_host"


def test_the_signature_is_over_time_and_body() -> None:
    # python -c "import hmac; print(hmac.new(b's', b'1763438400.{}', 'sha256').hexdigest())"
    assert signature(["s", "s"], datetime(2025, 11, 18, 4, 0, tzinfo=UTC), b"{}").split(",") == [
        "t=1763438400",
        "v1=" + _MARK,
        "v1=" + _MARK,
    ]


def test_pauses_grow_are_spread_and_end() -> None:
    pauses = []
    for tries in range(1, 30):
        at = next_try(ONE, tries, NOW, NOW)
        assert at is not None
        pauses.append(at - NOW)
        usual = min(timedelta(seconds=10) * 2 ** (tries - 1), LONGEST_PAUSE)
        assert usual * 0.5 <= at - NOW <= usual * 1.5
    assert next_try(ONE, 5, NOW, NOW) == next_try(ONE, 5, NOW, NOW)
    assert next_try(ONE, 5, NOW, NOW) != next_try(UUID(int=2), 5, NOW, NOW)
    assert next_try(ONE, 5, NOW, NOW + TRIED_FOR) is None
    assert next_try(ONE, 10**9, NOW, NOW) is not None
    assert rest_after(1) < rest_after(2) < rest_after(100) == rest_after(10**9)


_MARK = "3f6d9c6699fe8733f7197a310bf20d4f7dfc35d7878a2d7e3df35b5a9b914f8f"
