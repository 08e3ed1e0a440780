# ruff: noqa: E501 - two languages side by side read best on one line
"""The catalog of offers in the studio."""

from decimal import Decimal

from callcenter.web.pages import offers as o
from callcenter.web.pages.frame import Money
from callcenter.web.pages.rules import Option
from tests.web.sample_frame import Texts, at, frame


def catalog(language: str, theme: str, state: str) -> o.CatalogPage:
    t = Texts(language)
    head = frame(language, theme, "offers", live="/live/studio")
    if state == "empty":
        return o.CatalogPage(head)
    name = (
        "A very long name of an offer that nobody will ever remember"
        if state == "long"
        else t("Interest coupon, 30 days", "30 天免息券")
    )

    def row(code: str, state: str, given: int, label: str) -> o.CatalogRow:
        return o.CatalogRow(
            code, label, f"/studio/offers/{code}", state, Money(Decimal(30), "CNY"), Money(Decimal("22.50"), "CNY"),
            Money(Decimal("22.50") * given, "CNY"), given, t("Credit granted; Withdraw", "获得额度；提款"),
            t("1 a customer in 90 days; 5 an agent and day", "每位客户 90 天 1 次；每位客服每天 5 次"), at("09:00", -30), at("09:00", 60),
        )  # fmt: skip

    return o.CatalogPage(
        head,
        (
            row("rate-coupon-30", "live", 412, name),
            row("spring", "not_begun", 0, t("Spring points", "春季积分")),
            row("autumn", "over", 96, t("Autumn points", "秋季积分")),
            row("no-fee", "ended", 1203, t("No transfer fee", "转账免手续费")),
        ),
    )


def form(language: str, theme: str, state: str) -> o.OfferFormPage:
    t = Texts(language)
    head = frame(language, theme, "offers")
    journeys = (Option("loan", t("Loan", "贷款")), Option("account", t("Account", "账户")))
    steps = (
        Option("loan/withdraw", t("Withdraw", "提款"), t("Loan", "贷款")),
        Option("account/salary", t("Salary received", "工资到账"), t("Account", "账户")),
    )
    rules = (Option("loan-not-withdrawn", t("Loan not withdrawn", "额度未提款")),)
    if state == "blank":
        return o.OfferFormPage(
            head, None, {"currency": "CNY", "time_zone": "Asia/Shanghai"}, {}, journeys, steps, rules
        )
    values = {
        "name_en": "Interest coupon, 30 days", "name_zh": "30 天免息券", "words_en": "We can give you 30 days free of interest.",
        "words_zh": "首次提款可享 30 天免息。", "currency": "CNY", "value": "30.00", "cost": "22.50", "tags": "vip",
        "valid_from": "2026-10-18T09:00", "valid_until": "", "time_zone": "Asia/Shanghai", "per_customer": "1", "per_customer_days": "90",
        "per_agent_day": "5", "per_day": "",
    }  # fmt: skip
    problems = {
        "cost": t(
            "Give an amount from 0, with at most two decimals.", "请填写不小于 0、最多两位小数的金额。"
        ),
        "valid_until": t("Choose an end after the beginning.", "结束时间须晚于开始时间。"),
    }
    return o.OfferFormPage(
        head, "rate-coupon-30", values, {"steps": ("loan/withdraw",)}, journeys, steps, rules, ("Asia/Shanghai", "UTC"), 3, False, 412,
        problems if state == "failed" else {},
        (o.OfferChange(t("changed", "修改了"), at("10:00", -2), t("G. Yan", "高岩"), (t("its cost", "成本"),)), o.OfferChange(t("added it", "新增"), at("09:00", -30), None)),
    )  # fmt: skip
