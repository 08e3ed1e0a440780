# ruff: noqa: E501 - two languages side by side read best on one line
"""Analyses, the people behind a number, and a customer's story, full and empty."""

import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from callcenter.web.pages import analyses as a
from callcenter.web.pages.studio import Choice
from tests.web.sample_frame import Texts, at, frame

_LONG = "Montgomery-Featherstonehaugh Wilhelmina Alexandrina Theodora"


def analyses(language: str, theme: str, state: str) -> a.AnalysesPage:
    page = _funnel(language, theme, state)
    return replace(page, **_OTHERS[state](Texts(language))) if state in _OTHERS else page


def _path(t: Texts) -> dict[str, Any]:
    photo, rejected = t("ID photo", "证件照"), t("Photo rejected", "证件照被拒")
    links = (
        (1, t("Register", "注册"), t("Sign in", "登录"), 2800), (2, t("Sign in", "登录"), photo, 3000), (2, t("nothing before", "此前无事件"), photo, 364),
        (3, photo, rejected, 2100), (3, photo, t("nothing more", "此后无事件"), 900), (3, photo, t("Help", "帮助"), 364), (4, rejected, t("Home page", "首页"), 1200), (4, rejected, t("nothing more", "此后无事件"), 900),
    )  # fmt: skip
    return {
        "title": t("What comes before and after a drop?", "流失前后发生了什么？"),
        "summary": t("After ID photo most often: Photo rejected, 62 % of 3,364.", "证件照之后最常见：证件照被拒，占 3,364 的 62 %。"),
        "chart": a.Chart("sankey", "people"),
        "columns": (a.Column("people", t("People", "人数")),),
        "rows": tuple(
            a.Row(f"{from_} → {to}", "", (a.Cell("people", f"{n:,}", n, href="/studio/analyses/people"),), link=json.dumps([place, from_, to], ensure_ascii=False))
            for place, from_, to, n in links
        ),
        "has_groups": False, "step_href": "/studio/rules/new", "beside": None, "label_title": t("From, to", "从、到"),
    }  # fmt: skip


def _lines(t: Texts) -> dict[str, Any]:
    shares = {"iOS": (0.2, 0.5, 0.7, 0.9, 1.0), "Android": (0.1, 0.3, 0.5, 0.8, 1.0)}
    times = (
        t("under 1 min", "1 分钟以内"),
        t("1 to 2 min", "1 至 2 分钟"),
        t("2 to 5 min", "2 至 5 分钟"),
        t("5 to 15 min", "5 至 15 分钟"),
        t("15 min to 1 h", "15 分钟至 1 小时"),
    )
    return {
        "chart": a.Chart("lines", "within"),
        "columns": (a.Column("within", t("Share so far", "累计占比")),),
        "rows": tuple(a.Row(time, group, (a.Cell("within", f"{share:.0%}", share, t("2 of 10", "2 / 10")),)) for group, all_ in shares.items() for time, share in zip(times, all_, strict=True)),
    }  # fmt: skip


def _across(t: Texts) -> dict[str, Any]:
    days = {"day_1": 0.31, "day_2": 0.22, "day_3": 0.18, "day_5": 0.12, "day_7": 0.1}
    cells = tuple(
        a.Cell(code, f"{share:.0%}", share, t("31 of 100", "31 / 100")) for code, share in days.items()
    )
    return {
        "chart": a.Chart("across", " ".join(days)),
        "columns": tuple(a.Column(code, t(f"Day {code[4:]}", f"第 {code[4:]} 天")) for code in days),
        "rows": (a.Row("12 Nov", "", cells), a.Row(t("All", "全部"), "", cells, is_sum=True)),
        "has_groups": False,
    }  # fmt: skip


def _ranked(t: Texts) -> dict[str, Any]:
    counts = {
        t("Register", "注册"): 14820,
        t("ID photo · Photo rejected: glare", "证件照 · 证件照被拒：反光"): 3364,
        _LONG: 812,
    }
    return {
        "chart": a.Chart("rows", "events"),
        "columns": (a.Column("events", t("Events", "事件数")),),
        "rows": tuple(a.Row(label, "", (a.Cell("events", f"{n:,}", n),)) for label, n in counts.items()),
        "has_groups": False,
    }  # fmt: skip


_OTHERS: Mapping[str, Callable[[Texts], dict[str, Any]]] = {
    "path": _path, "lines": _lines, "across": _across, "ranked": _ranked,
}  # fmt: skip


def _funnel(language: str, theme: str, state: str) -> a.AnalysesPage:
    t = Texts(language)
    names = (t("Funnel", "漏斗"), t("Retention", "留存"), t("Distribution", "分布"), t("Interval", "间隔"), t("Path", "路径"), t("Attribution", "归因"), t("Value", "价值"), t("Sessions", "会话"), t("Attributes", "属性"), t("Events", "事件"))  # fmt: skip
    rows = (
        (t("Register", "注册"), "iOS", 14820, 916, 0.064),
        (t("ID photo", "证件照"), "iOS", 12610, 3364, 0.241),
        (t("Register", "注册"), _LONG, 4120, 316, 0.064),
        (t("ID photo", "证件照"), _LONG, 3610, 64, None),
    )
    return a.AnalysesPage(
        frame=frame(language, theme, "analyses"),
        title=t("Where do they stop?", "他们停在哪里？"),
        models=tuple(Choice(name, "/studio/analyses", place == 0) for place, name in enumerate(names)),
        windows=(Choice(t("Today", "今天"), "?days=1"), Choice(t("7 days", "7 天"), "?days=7", True)),
        fields=(a.Field("split", t("Split by", "拆分"), (a.Option("none", t("nothing", "无")), a.Option("device", t("device", "设备"), True))),),
        hidden=(("model", "funnel"),),
        beside=True,
        query="model=funnel",
        summary=t("3,364 of 12,610 stopped at ID photo, the most at any step.", "12,610 人中有 3,364 人停在证件照，为各步骤最多。"),
        counted=t("14,820 people counted, 12 Nov to 18 Nov.", "计 14,820 人，11月12日 至 11月18日。"),
        fresh=t("1.2 s behind what customers do.", "比客户的实际行为晚 1.2 秒。"),
        notes=(t("Lost: got no further in the window.", "流失：窗口内没有走得更远。"),),
        columns=() if state == "empty" else (a.Column("entered", t("Entered", "进入")), a.Column("lost", t("Lost", "流失")), a.Column("loss", t("Loss", "流失率")), a.Column("usual", t("Usual", "平时"))),
        rows=() if state == "empty" else tuple(
            a.Row(label, group, (
                a.Cell("entered", f"{entered:,}", entered, href="/studio/analyses/people"),
                a.Cell("lost", f"{lost:,}", lost, href="/studio/analyses/people"),
                a.Cell("loss", f"{lost / entered:.1%}", lost / entered, f"{lost:,} / {entered:,}", tone="warn" if usual and lost / entered > usual * 1.1 else ""),
                a.Cell("usual", f"{usual:.1%}" if usual else "", usual),
            ))
            for label, group, entered, lost, usual in rows
        ),
        chart=a.Chart("bars", "entered"),
        has_groups=True,
        group_title=t("Device", "设备"),
        label_title=t("Step", "步骤"),
        name="funnel-loan",
    )  # fmt: skip


def people(language: str, theme: str, state: str) -> a.PeoplePage:
    t = Texts(language)
    head, what = frame(language, theme, "analyses"), t("Funnel · ID photo · Lost", "漏斗 · 证件照 · 流失")
    if state == "empty":
        return a.PeoplePage(head, what, t("0 people", "0 人"), "/studio/analyses", t("Analyses", "分析"))
    one = a.PersonRow(
        _LONG, "138 •••• 0001", t("Urumqi", "乌鲁木齐"), ("vip", "salary"), "a1", "/studio/people/1"
    )
    return a.PeoplePage(
        head, what, t("40 people", "40 人"), "/studio/analyses", t("Analyses", "分析"), (one,) * 40
    )


def person(language: str, theme: str, state: str) -> a.PersonPage:
    t = Texts(language)
    story = (
        a.StoryLine(at("14:02:10"), "conversion", t("Converted at Withdrawn", "在已提款转化")),
        a.StoryLine(at("13:58:02"), "call", t("Called: Answered", "外呼：已接听"), t("Done on the call", "通话中完成")),
        a.StoryLine(at("13:57:30"), "firing", t("Rule fired: ID-photo trouble", "规则触发：证件照受阻"), t("a call task was opened", "已建立呼叫任务")),
        a.StoryLine(at("13:57:29"), "event", t("Photo rejected: glare", "证件照被拒：反光"), t("ID photo", "证件照")),
    )  # fmt: skip
    return a.PersonPage(
        frame(language, theme, "analyses"), _LONG, "138 •••• 0001", t("Urumqi", "乌鲁木齐"), ("vip",),
        () if state == "empty" else story * 20,
    )  # fmt: skip
