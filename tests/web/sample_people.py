"""Samples of the administration of people, teams and skills."""

from callcenter.web.pages import people as p
from callcenter.web.pages.studio import Choice
from tests.web.sample_frame import Texts, frame

HREF = "/admin/people/5a1f0000-0000-4000-8000-000000000001"
LONG = "Maximiliana Konstantinopoulou-Featherstonehaugh of the night"


def _tabs(t: Texts, here: str) -> tuple[Choice, ...]:
    return (
        Choice(t("People", "人员"), "/admin/people", here == "people"),
        Choice(t("Teams and skills", "团队与技能"), "/admin/teams", here == "teams"),
    )


def people(language: str, theme: str, state: str) -> p.PeoplePage:
    """The list; an installation begins with its administrator alone."""
    t = Texts(language)
    admin = p.PersonRow(HREF, t("Zhang Bei", "张蓓"), "zhang.bei", "admin", True)
    rows: tuple[p.PersonRow, ...] = (admin,)
    if state == "full":
        rows = (
            p.PersonRow(
                HREF,
                t("Lin Yue", "林悦"),
                "lin.yue",
                "agent",
                True,
                t("Loan desk A", "信贷一组"),
                ("en", "zh"),
                (t("Loans 4", "贷款 4"), t("Bank cards 2", "银行卡 2")),
            ),
            p.PersonRow(
                HREF,
                LONG,
                "maximiliana.konstantinopoulou@harbour.example",
                "agent",
                True,
                t("Loan desk B", "信贷二组"),
                ("en",),
            ),
            admin,
            p.PersonRow(HREF, t("Ma Lin", "马琳"), "ma.lin", "supervisor", True),
            p.PersonRow(
                HREF,
                t("Wu Jing", "吴静"),
                "wu.jing",
                "agent",
                False,
                t("Loan desk A", "信贷一组"),
                ("zh",),
                (t("Complaints 5", "投诉 5"),),
            ),
        )
    return p.PeoplePage(frame(language, theme, "people"), _tabs(t, "people"), rows)


def person(language: str, theme: str, state: str) -> p.PersonPage:
    """A form: blank, of an agent, or come back with what is wrong."""
    t = Texts(language)
    head = frame(language, theme, "people")
    skills = (
        p.SkillField("loans", t("Loans", "贷款"), 4),
        p.SkillField("fax", t("Fax", "传真"), 1, is_given=False),
    )
    teams = (t("Loan desk A", "信贷一组"), t("Loan desk B", "信贷二组"))
    roles = ("agent", "supervisor", "strategist", "compliance", "admin")
    if state == "new":
        return p.PersonPage(head, roles=roles)
    if state == "failed":
        error = t("Somebody has this login already. Choose another one.", "该登录名已被使用，请换一个。")
        return p.PersonPage(
            head, login="lin.yue", name=LONG, roles=roles, teams=teams, skills=skills, error=error
        )
    return p.PersonPage(
        head, HREF, "lin.yue", t("Lin Yue", "林悦"), "agent", ("agent",), teams[0], teams, ("en", "zh"), skills,
        telephone="+8657199990001", time_zone="Asia/Shanghai",
    )  # fmt: skip


def teams(language: str, theme: str, state: str) -> p.TeamsPage:
    """Teams with their settings, skills with who has them."""
    t = Texts(language)
    head = frame(language, theme, "people")
    if state == "empty":
        return p.TeamsPage(head, _tabs(t, "teams"))
    failed = {
        "error": t("There is a team of this name.", "已有同名团队。"),
        "typed": {"team": t("Loan desk A", "信贷一组")},
    }
    return p.TeamsPage(
        head,
        _tabs(t, "teams"),
        (
            p.TeamRow(t("Loan desk A", "信贷一组"), 12, True),
            p.TeamRow(t("Loan desk B", "信贷二组"), 0, False),
        ),
        (
            p.SkillRow("loans", "Loans", "贷款", True, (1, 4, 3, 2, 1), 2),
            p.SkillRow("fax", "Fax", "传真", False, (1, 0, 0, 0, 0)),
        ),
        **(failed if state == "failed" else {}),  # type: ignore[arg-type]
    )
