"""Reading packs: what they may say, and that anything else is refused by file, line and entry."""

from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path

import pytest

from callcenter.compliance.packs import PACKS, load_book
from callcenter.compliance.packs_reading import Version, read_pack
from callcenter.domain.contact import FOR_GOOD, CallingHours, Cap, ContactPolicy, Registry
from callcenter.domain.enums import NumberKind, Purpose
from callcenter.errors import BadInput

HEAD = """pack: test
title: {en: Test, zh: 测试}
applies_to: {regions: [SG]}
time_zone: Asia/Shanghai
versions:
"""
HOURS = '    calling_hours: {value: {every_day: ["09:00-20:00"]}, source: law}\n'
BASE = HEAD + "  - valid_from: 2026-01-01\n" + HOURS
NOW = datetime(2026, 11, 1, tzinfo=UTC)


def read(*figures: str) -> tuple[Version, ...]:
    return read_pack(BASE + "".join(f"    {figure}\n" for figure in figures), "test.yaml")


def policy_of(*figures: str, purpose: Purpose = Purpose.SERVICE, regions: str = "SG") -> ContactPolicy:
    book = load_book(["test"], [("test", BASE + "".join(f"    {figure}\n" for figure in figures))])
    policy = book.policy(frozenset(regions.split()), purpose, NOW)
    assert policy is not None
    return policy


def hours_of(value: str) -> CallingHours:
    (version,) = read_pack(BASE.replace('{every_day: ["09:00-20:00"]}', value), "test.yaml")
    hours = version.figures[0].value
    assert isinstance(hours, CallingHours)
    return hours


def refusal(text: str) -> str:
    with pytest.raises(BadInput) as refused:
        read_pack(text, "test.yaml")
    return refused.value.message


def test_every_figure_is_read() -> None:
    policy = policy_of(
        "caps: [{value: {calls: 3, window: 24h}, source: a}, {value: {calls: 9, window: 7d}, source: b}]",
        "minimum_gap: {value: 2h, source: law}",
        "conversation_pause: {value: 7d, source: law}",
        "refusal_stop: {value: 60d, source: law}",
        "consent: {value: true, source: law}",
        "registries: {value: {key: us-dnc, max_age: 31d}, source: law}",
        "barred_kinds: {value: [premium, pager], source: law}",
        "barred_regions: {value: [SG], source: law}",
        "abandonment: {value: {limit: 3%, guaranteed_for: 72h}, source: law}",
    )
    assert policy == ContactPolicy(
        version="test@2026-01-01",
        hours=(CallingHours.every_day(time(9), time(20)),),
        caps=(Cap(3, timedelta(hours=24)), Cap(9, timedelta(days=7))),
        minimum_gap=timedelta(hours=2),
        conversation_pause=timedelta(days=7),
        refusal_stop=timedelta(days=60),
        needs_consent=True,
        registries=(Registry("us-dnc", timedelta(days=31)),),
        barred_kinds=frozenset({NumberKind.PREMIUM, NumberKind.PAGER}),
        barred_regions=frozenset({"SG"}),
        abandonment_limit=0.03,
        guaranteed_after_abandonment=timedelta(hours=72),
    )


def test_a_refusal_stops_for_good_or_not_at_all_where_a_pack_says_so() -> None:
    assert policy_of("refusal_stop: {value: for_good, source: law}").refusal_stop == FOR_GOOD
    assert policy_of("refusal_stop: {value: none, source: law}").refusal_stop == timedelta(0)
    assert policy_of().refusal_stop == FOR_GOOD, "unsaid: the stricter"


def test_norway_is_a_country_and_a_time_stays_a_time() -> None:
    """YAML would read NO as false and 20:00 as 1200."""
    (version,) = read_pack(BASE.replace("[SG]", "[NO]").replace('["09:00-20:00"]', "[9:00-20:00]").replace(
        "9:00-20", "09:00-20"), "test.yaml")  # fmt: skip
    assert version.regions == {"NO"}
    assert version.figures[0].value == CallingHours.every_day(time(9), time(20))


def test_a_named_day_counts_before_the_weekend_and_the_weekend_before_every_day() -> None:
    hours = hours_of('{every_day: ["08:00-21:00"], weekend: ["10:00-18:00"], sunday: ["12:00-18:00"]}')
    assert [windows[0][0].hour for windows in hours.by_weekday] == [8, 8, 8, 8, 8, 10, 12]


def test_a_day_has_several_windows_and_may_last_until_midnight() -> None:
    hours = hours_of('{every_day: ["14:00-24:00", "10:00-13:00"]}')
    open_at = [hour for hour in range(24) if hours.contains(datetime(2026, 11, 2, hour, tzinfo=UTC))]
    assert open_at == [10, 11, 12, *range(14, 24)]
    assert hours.contains(datetime(2026, 11, 2, 23, 59, 59, tzinfo=UTC))


def test_sundays_from_noon_as_in_texas() -> None:
    policy = load_book(["us-tcpa"]).policy(frozenset({"US", "US-TX"}), Purpose.MARKETING, NOW)
    assert policy is not None
    sunday, monday = datetime(2026, 11, 1, tzinfo=UTC), datetime(2026, 11, 2, tzinfo=UTC)
    assert all(hours.contains(sunday.replace(hour=12)) for hours in policy.hours)
    assert not all(hours.contains(sunday.replace(hour=11, minute=59)) for hours in policy.hours)
    assert all(hours.contains(monday.replace(hour=9)) for hours in policy.hours)


@pytest.mark.parametrize("day", [date(2026, 2, 14), date(2026, 2, 28), date(2026, 10, 10)])
def test_chinese_weekend_days_that_are_worked_have_mondays_hours(day: date) -> None:
    assert day.weekday() >= 5
    days = '{workdays: ["09:00-20:00"], weekend: [], holidays: closed, calendar: {country: CN%s}}'
    assert hours_of(days % ", weekend_workdays: true").windows_on(day) == ((time(9), time(20)),)
    assert hours_of(days % "").windows_on(day) == ()


def test_chinese_holidays_close_or_have_hours_of_their_own_or_are_days_like_others() -> None:
    spring_festival = date(2026, 2, 17)
    days = '{every_day: ["09:00-20:00"], holidays: %s, calendar: {country: CN}}'
    assert hours_of(days % "closed").windows_on(spring_festival) == ()
    assert hours_of(days % '["10:00-12:00"]').windows_on(spring_festival) == ((time(10), time(12)),)
    assert hours_of(days % "same").windows_on(spring_festival) == ((time(9), time(20)),)


def test_french_holidays_are_closed_and_those_of_alsace_too() -> None:
    policy = load_book(["fr"]).policy(frozenset({"FR"}), Purpose.MARKETING, NOW)
    assert policy is not None
    (hours,) = policy.hours
    bastille, ascension = date(2026, 7, 14), date(2026, 5, 14)
    good_friday_in_alsace, ordinary_friday = date(2026, 4, 3), date(2026, 4, 10)
    assert [hours.windows_on(day) for day in (bastille, ascension, good_friday_in_alsace)] == [(), (), ()]
    assert hours.windows_on(ordinary_friday) == ((time(10), time(13)), (time(14), time(20)))
    assert hours.windows_on(date(2026, 4, 11)) == (), "Saturday"


def test_holidays_are_known_of_years_to_come() -> None:
    hours = hours_of('{every_day: ["09:00-20:00"], holidays: closed, calendar: {country: DE}}')
    assert [hours.windows_on(date(year, 12, 25)) for year in (1999, 2026, 2035)] == [()] * 3


MALFORMED = [
    ("pack: test", "pack: Test Pack", "line 1, pack: 'Test Pack' is no pack's name"),
    ("pack: test", "packs: test", "line 1, packs: is not known"),
    ("pack: test\n", "", "needs pack"),
    ("{en: Test, zh: 测试}", "{en: Test}", "title: needs zh"),
    ("{en: Test, zh: 测试}", "Test", "title: must be entries"),
    ("[SG]", "[ZZ]", "line 3, applies_to.regions[0]: 'ZZ' is no country"),
    ("[SG]", "[cn]", "'cn' is no country"),
    ("[SG]", "[US-FLA]", "'US-FLA' is no subdivision"),
    ("[SG]", "[US-]", "'US-' is no subdivision"),
    ("[SG]", "[DE-BAYERN]", "'DE-BAYERN' is no subdivision"),
    ("[SG]", "[]", "must name a region"),
    ("[SG]", "CN", "must be a list"),
    ("Asia/Shanghai", "Asia/Shangai", "line 4, time_zone: 'Asia/Shangai' is no time zone"),
    ("Asia/Shanghai", "../Shanghai", "is no time zone"),
    ("Asia/Shanghai", "Asia", "is no time zone"),
    ("2026-01-01", "2026-13-01", "line 6, versions[0].valid_from: '2026-13-01' is not a date"),
    ("2026-01-01", "20260101", "is not a date"),
    ("2026-01-01", "0001-01-01", "must be a date from 1970 to 2200"),
    ("  - valid_from: 2026-01-01\n", "  -\n", "versions[0]: needs valid_from"),
    (HOURS, "", "versions[0]: needs a figure"),
    (", source: law", "", "line 7, versions[0].calling_hours: needs source"),
    ("source: law", "source: ''", "source: must be a text that says something"),
    ("source: law", "source:", "source: must be a text that says something"),
    ("source: law", "source: [law]", "source: must be a text"),
    (
        "source: law",
        "source: law, sauce: b",
        "calling_hours.sauce: is not known; known are value, source, note",
    ),
    ("source: law", "source: law, purposes: [sales]", "'sales' is no purpose; known are service"),
    ("source: law", "source: law, purposes: []", "must name a purpose"),
    ("source: law", "source: law, regions: [XX]", "'XX' is no country"),
    ("calling_hours", "calling_time", "versions[0].calling_time: is not known"),
    ('"09:00-20:00"', '"20:00-09:00"', "every_day[0]: 20:00-09:00 closes before it opens"),
    ('"09:00-20:00"', '"09:00-09:00"', "closes before it opens"),
    ('"09:00-20:00"', '"9:00-20:00"', "'9:00-20:00' is not a window"),
    ('"09:00-20:00"', '"09:00-25:00"', "is not a window"),
    ('"09:00-20:00"', '"24:00-24:00"', "is not a window"),
    ('"09:00-20:00"', '"09:00"', "is not a window"),
    ('"09:00-20:00"', '"09:00-14:00", "13:00-20:00"', "every_day[1]: overlaps another window"),
    ('"09:00-20:00"', '"09:00-14:00", "09:00-14:00"', "overlaps another window"),
    ('["09:00-20:00"]', '"09:00-20:00"', "must be a list of windows"),
    ("every_day", "workdays", "says nothing of saturday, sunday"),
    ("every_day", "everyday", "everyday: is not known"),
    ('20:00"]', '20:00"], holidays: closed', "holidays and calendar come together"),
    ('20:00"]', '20:00"], calendar: {country: CN}', "holidays and calendar come together"),
    ('20:00"]', '20:00"], holidays: open, calendar: {country: CN}', "must be a list of windows"),
    ('20:00"]', '20:00"], holidays: closed, calendar: {country: XX}', "no holidays are known of 'XX'"),
    (
        '20:00"]',
        '20:00"], holidays: closed, calendar: {country: FR, subdivisions: [BY]}',
        "line 7, versions[0].calling_hours.value.calendar.subdivisions[0]: FR has no holidays of 'BY'",
    ),
    (
        '20:00"]',
        '20:00"], holidays: same, calendar: {country: CN, weekend_workdays: yes}',
        "'yes' is neither true nor false",
    ),
]


@pytest.mark.parametrize(("found", "written", "says"), MALFORMED)
def test_a_malformed_pack_is_refused_by_entry(found: str, written: str, says: str) -> None:
    assert found in BASE
    message = refusal(BASE.replace(found, written))
    assert message.startswith("test.yaml, line ")
    assert says in message


@pytest.mark.parametrize(
    ("figure", "says"),
    [
        ("caps: {value: {calls: 0, window: 24h}, source: a}", "'0' is not a whole number from 1"),
        ("caps: {value: {calls: -1, window: 24h}, source: a}", "'-1' is not a whole number"),
        ("caps: {value: {calls: 2.5, window: 24h}, source: a}", "'2.5' is not a whole number"),
        ("caps: {value: {calls: two, window: 24h}, source: a}", "'two' is not a whole number"),
        ("caps: {value: {calls: ２, window: 24h}, source: a}", "is not a whole number"),
        ("caps: {value: {calls: 2}, source: a}", "needs window"),
        ("caps: {value: 2, source: a}", "must be entries (calls, window)"),
        ("caps: {value: {calls: 2, window: 32d}, source: a}", "32d is not between"),
        ("caps: {value: {calls: 2, window: 0s}, source: a}", "0s is not between"),
        ("caps: {value: {calls: 2, window: 24}, source: a}", "'24' is not a duration"),
        ("caps: []", "caps: needs an entry"),
        ("caps: [{value: {calls: 2, window: 24h}, source: a}, {value: {calls: 2}, source: a}]", "caps[1]"),
        ("minimum_gap: {value: -2h, source: a}", "'-2h' is not a duration"),
        ("minimum_gap: {value: .nan, source: a}", "'.nan' is not a duration"),
        ("minimum_gap: {value: nanh, source: a}", "'nanh' is not a duration"),
        ("minimum_gap: {value: 99999999999999999999d, source: a}", "is not a duration"),
        ("minimum_gap: {value: 32d, source: a}", "is not between"),
        ("minimum_gap: {value: [2h], source: a}", "must be a text"),
        ("conversation_pause: {value: 40d, source: a}", "is not between"),
        ("refusal_stop: {value: never, source: a}", "'never' is not a duration"),
        ("refusal_stop: {value: 40000d, source: a}", "is not between"),
        ("consent: {value: no, source: a}", "'no' is neither true nor false"),
        ("consent: {value: 1, source: a}", "'1' is neither true nor false"),
        ("registries: {value: {key: US DNC, max_age: 31d}, source: a}", "must be a short word"),
        ("registries: {value: {key: us-dnc, max_age: 0d}, source: a}", "is not between"),
        ("registries: {value: us-dnc, source: a}", "must be entries (key, max_age)"),
        ("barred_kinds: {value: [fax], source: a}", "'fax' is no kind of number"),
        ("barred_kinds: {value: premium, source: a}", "must be a list"),
        ("barred_regions: {value: [Florida], source: a}", "'Florida' is no country"),
        ("abandonment: {value: {limit: 3, guaranteed_for: 72h}, source: a}", "'3' is not a share"),
        ("abandonment: {value: {limit: nan, guaranteed_for: 72h}, source: a}", "'nan' is not a share"),
        ("abandonment: {value: {limit: -1%, guaranteed_for: 72h}, source: a}", "'-1%' is not a share"),
        ("abandonment: {value: {limit: 3%, guaranteed_for: 45d}, source: a}", "is not between"),
        ("minimum_gap: 2h", "minimum_gap: must be entries (value, source"),
    ],
)
def test_a_malformed_figure_is_refused_by_line_and_entry(figure: str, says: str) -> None:
    message = refusal(BASE + f"    {figure}\n")
    name = figure.partition(":")[0]
    assert message.startswith(f"test.yaml, line 8, versions[0].{name}")
    assert says in message


def test_two_versions_of_one_date_are_refused() -> None:
    message = refusal(BASE + "  - valid_from: 2026-01-01\n" + HOURS)
    assert message == "test.yaml, line 6, versions[0]: two versions are valid from 2026-01-01"


def test_an_entry_that_is_there_twice_is_refused() -> None:
    assert "line 8, versions[0].calling_hours: is there twice" in refusal(BASE + HOURS)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "test.yaml: is empty"),
        ("[1, 2", "test.yaml, line 1: not YAML"),
        ("a: b: c", "test.yaml, line 1: not YAML"),
        ("- a\n- b", "test.yaml, line 1: must be entries (pack, title"),
        (BASE.replace("source: law", "source: &law law"), "line 7: not YAML: anchors and aliases"),
        (BASE + "--- {}\n", "line 8: not YAML"),
        ("\x00", "not YAML"),
        ("[" * 5000, "line 1: not YAML: nested too deeply"),
        ("pack: " + "x" * 300_000, "test.yaml: longer than"),
        (BASE.replace("- valid_from", "? [a]\n    : b\n    valid_from"), "not YAML"),
    ],
)
def test_what_is_no_pack_at_all_is_refused(text: str, says: str) -> None:
    assert says in refusal(text)


def test_a_file_that_is_not_text_is_refused_by_its_name(tmp_path: Path) -> None:
    (tmp_path / "bad.yaml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(BadInput, match=r"bad\.yaml: cannot be read"):
        load_book(["bad"], root=tmp_path)


def test_a_file_must_hold_the_pack_of_its_name(tmp_path: Path) -> None:
    (tmp_path / "other.yaml").write_text(BASE, encoding="utf-8")
    with pytest.raises(BadInput, match=r"other\.yaml: is pack 'test', not 'other'"):
        load_book(["other"], root=tmp_path)


def test_every_shipped_figure_has_a_source_and_both_titles() -> None:
    for path in PACKS.glob("*.yaml"):
        for version in read_pack(path.read_text(encoding="utf-8"), path.name):
            assert {language for language, _ in version.title} == {"en", "zh"}
            assert all(len(figure.source) > 20 for figure in version.figures), path.name


def test_the_example_of_the_how_to_is_well_made() -> None:
    told = (Path(__file__).parents[2] / "docs" / "how-to-add-a-policy-pack.md").read_text(encoding="utf-8")
    example = told.partition("```yaml\n")[2].partition("```")[0]
    book = load_book(["sg"], [("sg", example)])
    for purpose in Purpose:
        assert book.policy(frozenset({"SG"}), purpose, datetime(2027, 1, 1, tzinfo=UTC)) is not None
