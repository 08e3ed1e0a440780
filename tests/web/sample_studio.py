# ruff: noqa: E501 - two languages side by side read best on one line
"""The strategy studio, full and empty."""

from datetime import date
from decimal import Decimal

from callcenter.web.pages import effects as e
from callcenter.web.pages import script_results as r
from callcenter.web.pages import studio as s
from callcenter.web.pages.frame import Money, ShareRow
from tests.web.sample_console import script
from tests.web.sample_frame import Texts, at, frame


def journeys(language: str, theme: str, state: str) -> s.JourneysPage:
    t = Texts(language)
    head = frame(language, theme, "journeys")
    if state == "empty":
        return s.JourneysPage(head, t("Loan journey", "贷款旅程"), date(2026, 11, 12), date(2026, 11, 18), 7)
    rows = (
        ("register", t("Register", "注册"), 14820, 916, 0.064, 48, 0.41, t("SMS code late", "短信验证码迟到")),
        ("sign_in", t("Sign in", "登录"), 13904, 1294, 0.091, 22, 0.66, t("Wrong password", "密码错误")),
        ("id_photo", t("ID photo", "证件照"), 12610, 3364, 0.241, 96, 0.70, t("Glare, 41 % of errors", "反光，占错误 41 %")),
        ("face_scan", t("Face scan", "人脸识别"), 9246, 774, 0.083, 41, 0.74, t("Too dark", "光线太暗")),
        ("profile", t("Profile", "资料"), 8472, 817, 0.102, 134, 0.58, None),
        ("bind_card", t("Bind card", "绑卡"), 7655, 843, 0.107, 112, 0.61, t("Card refused", "银行卡被拒")),
        ("credit", t("Credit granted", "授信"), 6812, 2686, 0.388, 100800, 0.35, None),
        ("withdrawn", t("Withdrawn", "提款"), 4126, None, None, None, None, None),
    )  # fmt: skip
    curve = tuple(
        s.CurvePoint(m, share, share - 0.015, share + 0.015)
        for m, share in ((0, 0.0), (2, 0.12), (5, 0.26), (10, 0.38), (15, 0.45), (20, 0.50), (30, 0.57), (45, 0.64), (60, 0.70))
    )  # fmt: skip
    return s.JourneysPage(
        head,
        t("Loan journey", "贷款旅程"),
        date(2026, 11, 12),
        date(2026, 11, 18),
        7,
        windows=(
            s.Choice(t("Today", "今天"), "/studio?days=1"),
            s.Choice(t("7 days", "7 天"), "/studio?days=7", True),
            s.Choice(t("28 days", "28 天"), "/studio?days=28"),
        ),
        steps=tuple(
            s.FunnelStep(key, label, entered, lost, f"/studio?step={key}", usual, median, back, error, key == "id_photo")
            for key, label, entered, lost, usual, median, back, error in rows
        ),
        surges=(
            s.SurgeNote(t("Loss at ID photo has risen", "证件照的流失上升"), t("41.0 % stopped in the last hour (82 of 200); usual in this hour is 24.1 %.", "最近一小时流失 41.0 %（82 / 200）；该时段平时为 24.1 %。"), "/studio/analyses", "/studio/rules/new"),
        ) if state == "surge" else (),
        analysis_href="/studio/analyses",
        csv_href="/studio/analyses.csv",
        drop=s.Drop(
            t("ID photo", "证件照"), 3364, 12610, 0.241, curve, 5, 9840,
            tuple(
                ShareRow(label, count, 3364)
                for label, count in ((t("Rejected: glare", "被拒：反光"), 1379), (t("Rejected: blurred", "被拒：模糊"), 740), (t("Left before a photo", "未拍照离开"), 706), (t("Rejected: expired ID", "被拒：证件过期"), 303))
            ),
            tuple(
                ShareRow(label, count, 3364)
                for label, count in ((t("Closed the app", "关闭 App"), 2052), (t("Home page", "首页"), 740), (t("Help", "帮助"), 303))
            ),
            "/studio/rules/new", "/studio/analyses/people", "/studio/analyses?model=path",
        ),
    )  # fmt: skip


def rules(language: str, theme: str, state: str) -> s.RulesPage:
    t = Texts(language)
    head = frame(language, theme, "rules")
    if state == "empty":
        return s.RulesPage(head, 28)
    loan = t("Loan journey", "贷款旅程")
    rows = (
        s.RuleRow("photo", t("ID-photo trouble", "证件照受阻"), 7, t("When a customer’s ID photo is rejected twice within 10 minutes, offer a call, unless the photo is accepted first. One in five is not called, to measure the effect.", "客户证件照 10 分钟内被拒两次且未通过时，安排外呼。五分之一不外呼，用于衡量效果。"), loan, "live", at("10:00", -17), t("by G. Yan", "高岩"), 12348, 7923, 2436, "helps", 4.7, True),
        s.RuleRow("withdraw", t("Loan not withdrawn", "额度未提款"), 5, t("When credit is granted and nothing is withdrawn for 24 hours, offer a call. One in five is not called.", "授信后 24 小时未提款时，安排外呼。五分之一不外呼。"), loan, "live", at("10:00", -40), None, 19224, 13206, 3864, "helps", 2.9, True),
        s.RuleRow("card", t("Bind card quiet", "绑卡停留"), 3, t("When a customer stops at bind card and does nothing for 5 minutes, offer a call.", "客户停在绑卡且 5 分钟无操作时，安排外呼。"), loan, "paused", at("13:10"), t("by G. Yan", "高岩"), 6912, 4170, 1404, "not_known", 6.5, True),
        s.RuleRow("signin", t("Sign-in trouble", "登录受阻"), 6, t("When sign-in fails three times, offer a call.", "登录失败三次时，安排外呼。"), loan, "live", at("10:00", -3), None, 6924, 4230, 1252, "sample_ratio", None, False),
        s.RuleRow("new", t("Face scan quiet", "人脸停留"), 1, t("When a customer stops at the face scan for 3 minutes, offer a call.", "客户停在人脸识别 3 分钟时，安排外呼。"), loan, "live", at("09:00"), None, 0, 0, 0, None, None, True),
    )  # fmt: skip
    return s.RulesPage(head, 28, rows)


def effects(language: str, theme: str, state: str) -> e.EffectsPage:
    t = Texts(language)
    head = frame(language, theme, "effects")
    windows = (
        ("All the time", "全部时间"),
        ("Since the version began", "当前版本以来"),
        ("28 days", "28 天"),
    )
    window = e.EffectWindow(
        t("8 weeks to 18 Nov", "截至 11月18日 8 周"),
        tuple(s.Choice(t(*title), "?window=", place == 0) for place, title in enumerate(windows)),
        since_on="2026-10-22",
        until_on="2026-11-18",
        kept=(("window", "own"),),
    )
    if state == "empty":
        return e.EffectsPage(head, window, e.EffectTotals(None, 0, 0, None, None, 0, 0, 0))
    cny = "CNY"
    rows = (
        e.EffectRow("photo", t("ID-photo trouble", "证件照受阻"), 7, 12348, 2436, 7923, 3504, "helps", "?rule=photo", 4084, 9912, 889, 4.7, 0.5, 11.1, Money(Decimal(45), cny), 84, is_chosen=True, people={"fired": "?people", "converted": "?people"}, offers_granted=412, offers_cost=Money(Decimal(9270), cny), holds_together=True),
        e.EffectRow("withdraw", t("Loan not withdrawn", "额度未提款"), 5, 19224, 3864, 13206, 5502, "helps", "?rule=withdraw", 3010, 15360, 645, 2.9, 0.2, 5.9, Money(Decimal(60), cny), 50),
        e.EffectRow("card", t("Bind card quiet", "绑卡停留"), 3, 6912, 1404, 4170, 1806, "not_known", "?rule=card", 2200, 5508, 470, 6.5, -0.3, 13.0, needs_firings=640, needs_weeks=1),
        e.EffectRow("face", t("Face scan quiet", "人脸停留"), 2, 4500, 888, 2754, 1113, "not_known", "?rule=face", 1690, 3612, 401, 1.6, -5.3, 12.1, needs_firings=14000, needs_weeks=25),
        e.EffectRow("profile", t("Profile quiet", "资料停留"), 4, 8499, 1713, 5265, 2202, "not_known", "?rule=profile", 2442, 6786, 621, -0.3, -5.5, 5.2, needs_firings=19000, needs_weeks=18),
        e.EffectRow("outflow", t("Large outflow", "大额转出"), 2, 3711, 753, 2520, 1206, "harms", "?rule=outflow", 783, 2958, 221, -2.9, -8.8, -0.4, evidence=23, holds_together=False),
        e.EffectRow("salary", t("Salary arrival", "工资到账"), 1, 4230, None, 3366, 1245, "no_holdout", "?rule=salary", note=t("Service duty, by W. Ma", "服务义务，马雯批准")),
        e.EffectRow("signin", t("Sign-in trouble", "登录受阻"), 6, 6924, 1252, 4230, 1560, "sample_ratio", "?rule=signin", note=t("Sample ratio fails, p < 0.001", "样本比例异常 p < 0.001")),
    )  # fmt: skip
    variants = (
        e.VariantEffect(t("All reached", "全部接通"), 3.1, 0.5, 5.6, 3504, True),
        e.VariantEffect(t("Bright light", "灯光太亮"), 4.3, 0.3, 8.2, 1236, True),
        e.VariantEffect(t("Card in a sleeve", "有卡套"), 2.7, -2.6, 8.0, 564, False),
        e.VariantEffect(t("Not a good time", "不方便"), 0.3, -4.4, 5.0, 708, False),
    )
    detail = e.EffectDetail(
        t("ID-photo trouble", "证件照受阻"), 7, 0.412, 0.365, 1, 11, "helps", 0.197, 0.2, True,
        (1.0, 1.1, 0.9, 1.4, 1.3, 3, 22, 90, 84), 6, variants, t("Script variant B against A, pp", "话术变体 B 对 A，百分点"),
        people_href="?people",
    )  # fmt: skip
    totals = e.EffectTotals(913, 2, 9870, Money(Decimal(52), cny), 58, 12310, 66348, 5720, 412)
    together = e.Together(0.02, "helps", 18_420, 54_038, 318, 1_103, 5.3, 2.6, 7.9)
    return e.EffectsPage(head, window, totals, rows, detail, together)


def scripts(language: str, theme: str, state: str) -> s.ScriptsPage:
    t = Texts(language)
    head = frame(language, theme, "scripts")
    if state == "empty":
        return s.ScriptsPage(head)
    loan = t("Loan journey", "贷款旅程")
    photo = t("ID-photo trouble", "证件照受阻")
    rows = (
        s.ScriptRow("photo.en", photo, t("ID photo", "证件照"), loan, "en", 7, "/studio/scripts/photo.en", ("A", "B"), (photo,), date(2026, 11, 19), 3504),
        s.ScriptRow("photo.zh", photo, t("ID photo", "证件照"), loan, "zh", 7, "/studio/scripts/photo.zh", ("A", "B"), (photo,), date(2026, 11, 19), 21204),
        s.ScriptRow("card.zh", t("Bind card quiet", "绑卡停留"), t("Bind card", "绑卡"), loan, "zh", 3, "/studio/scripts/card.zh", ("A",), (), date(2026, 10, 2), 0),
    )  # fmt: skip
    if state == "list":
        return s.ScriptsPage(head, rows)
    sample = script(t, "opening")
    seen = (
        r.SeenAfter(2140, 1980, 1371, 0.672, 0.713),
        r.SeenAfter(318, 290, 96, 0.279, 0.387),
        r.SeenAfter(4, 0, 0),
        None,
    )
    names = {node.key: node.label for node in sample.nodes}
    parts = tuple(
        s.ReadPart(
            node.key, node.label, node.say,
            tuple(
                s.ReadBranch(b.digit, b.label, b.hint, names.get(b.leads_to or ""), seen[b.digit % len(seen)])
                for b in node.branches
            ),
        )
        for node in sample.nodes
    )  # fmt: skip
    chosen = s.ReadScript(
        rows[0], "B", parts, tuple((o.label, o.answer) for o in sample.objections), sample.required_notices,
        (s.Choice("v7", "?version=7", True), s.Choice("v6", "?version=6")),
        tuple(seen[place % len(seen)] for place in range(len(sample.objections))),
        results(t, state),
    )  # fmt: skip
    return s.ScriptsPage(head, rows, chosen)


def results(t: Texts, state: str) -> r.ScriptResults:
    """Three variants of moving shares; two with a verdict; or a split that is not as drawn."""
    calm, brisk, third = (
        t("Names the reason first", "先说原因"),
        t("Offers help first", "先说能帮什么"),
        t("Asks first", "先提问"),
    )
    href = "/studio/scripts/photo.en/results.csv"
    if state == "two":
        rows = (
            r.VariantRow("A", calm, 0.5, 9804, 3450, 0.352, "worse", -2.2, -3.6, -0.8, -2.1, -3.3, -0.9, 64.0, None, 0),
            r.VariantRow("B", brisk, 0.5, 9812, 3668, 0.374, "better", 2.2, 0.8, 3.6, 2.1, 0.9, 3.3, 64.0, None, 0),
        )  # fmt: skip
        return r.ScriptResults(7, 19616, 812, "even", rows, href, date(2026, 11, 19), 0.31, 20.0)
    if state == "broken":
        rows = tuple(
            r.VariantRow(name, calm, 1 / 3, n, 80, 0.2, "sample_ratio_fails")
            for name, n in zip("ABC", (400, 401, 250), strict=True)
        )
        return r.ScriptResults(7, 1051, 0, "thompson", rows, href)
    rows = (
        r.VariantRow("A", calm, 0.1, 1204, 132, 0.112, "worse", -7.9, -11.2, -3.9, -7.7, -9.9, -5.5, 412.0, 0.0, 0),
        r.VariantRow("B", brisk, 0.23, 1370, 190, 0.138, "not_known", -1.4, -5.2, 3.1, -1.2, -3.6, 1.2, 2.1, 0.02, 2300),
        r.VariantRow("C", third, 0.67, 3411, 676, 0.197, "better", 7.0, 3.2, 10.4, 6.9, 5.1, 8.7, 9100.0, 0.98, 0),
    )  # fmt: skip
    return r.ScriptResults(7, 5985, 240, "thompson", rows, href, date(2026, 11, 19), 0.13, 20.0)


def what_helps(language: str, theme: str, state: str) -> r.WhatHelpsPage:
    """A step, an error and an error with its reason; or too few calls yet."""
    t = Texts(language)
    head = frame(language, theme, "scripts")
    if state == "empty":
        return r.WhatHelpsPage(head, 90, 30, 10)
    loan, step = t("Loan journey", "贷款旅程"), t("ID photo", "证件照")
    causes = (
        ShareRow(t("Technical", "技术"), 1310, 2140), ShareRow(t("Usability", "易用性"), 471, 2140),
        ShareRow(t("Trust", "信任"), 96, 2140),
    )  # fmt: skip
    branches = (
        r.BranchSeen(step, t("Bright light above", "头顶灯光太亮"), 812, 640, 0.759, 0.815),
        r.BranchSeen(step, t("Card in a sleeve", "证件套着卡套"), 318, 190, 0.543, 0.650),
    )
    rows = (
        r.HelpsRow(loan, step, True, r.Helps(step, 4102, causes, branches)),
        r.HelpsRow(loan, step, False, r.Helps(t("Photo rejected", "照片被拒"), 2140, causes[:2], branches)),
        r.HelpsRow(
            loan, step, False, r.Helps(t("Photo rejected: glare", "照片被拒：反光"), 64, (), branches[:1])
        ),
        r.HelpsRow(
            loan, step, False, r.Helps(t("Photo rejected: blurred", "照片被拒：模糊"), 41, causes[:1], ())
        ),
    )
    return r.WhatHelpsPage(head, 90, 30, 10, rows, date(2026, 11, 19))
