"""Where the synthetic customers live: cities, their zones, how their mobile numbers look, their names.

Numbers have the shape of mobile numbers of the place, in exchanges of the place's own zone where the country
ties numbers to zones; whose they are is nobody's business, as only the carrier simulator is ever asked to
ring them.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

_CN_PREFIXES = tuple(
    f"+861{second}{third}"
    for second, thirds in (("3", "0123456789"), ("5", "012356789"), ("8", "0123456789"), ("9", "89"))
    for third in thirds
)


@dataclass(frozen=True)
class Place:
    """One zone customers live in. `weight` is its share among those awake; `zh` the share who speak Chinese.

    A number is one of `prefixes` followed by `digits` digits.
    """

    zone: str
    weight: float
    zh: float
    cities: Sequence[str]
    prefixes: Sequence[str]
    digits: int
    names: str

    @property
    def numbers(self) -> int:
        """How many different numbers the place has."""
        return int(len(self.prefixes) * 10**self.digits)

    def number(self, ordinal: int) -> str:
        """Return the place's number with this ordinal, E.164; ordinals wrap around at `numbers`."""
        prefix, rest = divmod(ordinal % self.numbers, 10**self.digits)
        return f"{self.prefixes[prefix]}{rest:0{self.digits}d}"


def _us(*area_codes: int) -> tuple[str, ...]:
    """Prefixes in the exchange that fiction uses."""
    return tuple(f"+1{area_code}555" for area_code in area_codes)


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split())


PLACES: tuple[Place, ...] = (
    Place(
        "Asia/Shanghai",
        70.0,
        0.93,
        ("上海|Shanghai", "北京|Beijing", "杭州|Hangzhou", "深圳|Shenzhen", "广州|Guangzhou", "成都|Chengdu",
         "重庆|Chongqing", "武汉|Wuhan", "西安|Xi'an", "南京|Nanjing", "长沙|Changsha", "郑州|Zhengzhou"),
        _CN_PREFIXES,
        8,
        "chinese",
    ),
    Place(
        "Asia/Urumqi",
        9.0,
        0.96,
        ("乌鲁木齐|Urumqi", "喀什|Kashgar", "伊宁|Yining"),
        _CN_PREFIXES,
        8,
        "chinese",
    ),
    Place(
        "Asia/Singapore", 5.0, 0.45, ("新加坡|Singapore",), ("+6581", "+6590", "+6596", "+6598"), 6, "chinese"
    ),
    Place(
        "Asia/Dubai", 6.0, 0.10, ("迪拜|Dubai", "沙迦|Sharjah"), ("+97150", "+97152", "+97155"), 7, "mixed"
    ),
    Place(
        "Europe/London",
        8.0,
        0.12,
        ("伦敦|London", "曼彻斯特|Manchester", "利兹|Leeds"),
        ("+447400", "+447500", "+447535", "+447733", "+447812", "+447890", "+447966"),
        6,
        "english",
    ),
    Place(
        "America/New_York",
        7.0,
        0.20,
        ("纽约|New York", "波士顿|Boston", "费城|Philadelphia"),
        _us(212, 215, 305, 404, 617, 646, 718, 917),
        4,
        "english",
    ),
    Place(
        "America/Los_Angeles",
        7.0,
        0.30,
        ("旧金山|San Francisco", "洛杉矶|Los Angeles", "西雅图|Seattle"),
        _us(206, 213, 310, 408, 415, 619, 702),
        4,
        "english",
    ),
    Place("Australia/Sydney", 4.0, 0.25, ("悉尼|Sydney",), ("+6141", "+6142", "+6143"), 7, "english"),
    Place("Pacific/Auckland", 2.0, 0.20, ("奥克兰|Auckland",), ("+6421", "+6427"), 7, "english"),
)  # fmt: skip

# surname and given names as character|pinyin, so that one person is the same in both scripts
SURNAMES = _words("""
    王|Wang 李|Li 张|Zhang 刘|Liu 陈|Chen 杨|Yang 黄|Huang 赵|Zhao 吴|Wu 周|Zhou
    徐|Xu 孙|Sun 马|Ma 朱|Zhu 胡|Hu 郭|Guo 何|He 林|Lin 高|Gao 罗|Luo
    郑|Zheng 梁|Liang 谢|Xie 宋|Song 唐|Tang 许|Xu 韩|Han 冯|Feng 邓|Deng 曹|Cao
""")
GIVEN: Mapping[str, tuple[str, ...]] = {
    "female": _words("""
        芳|fang 娜|na 敏|min 静|jing 丽|li 燕|yan 玲|ling 婷|ting 雪|xue 欣|xin
        怡|yi 佳|jia 梦|meng 雅|ya 琳|lin 颖|ying 洁|jie 慧|hui 莹|ying 蕾|lei
    """),
    "male": _words("""
        伟|wei 强|qiang 磊|lei 军|jun 勇|yong 杰|jie 涛|tao 明|ming 超|chao 辉|hui
        鹏|peng 浩|hao 宇|yu 鑫|xin 博|bo 俊|jun 凯|kai 斌|bin 峰|feng 志|zhi
    """),
}
WESTERN_SURNAMES: Mapping[str, tuple[str, ...]] = {
    "english": _words(
        "Smith Jones Taylor Brown Walker Wright Hughes Green Hall Clarke Turner Hill Cooper Ward Morris"
    ),
    "mixed": _words(
        "Haddad Khan Rahman Nair Mansour Fernandes Smith Farouk Iyer Saleh Brown Qureshi Menon Aziz"
    ),
}
WESTERN_GIVEN: Mapping[str, tuple[str, ...]] = {
    "female": _words("Emma Olivia Grace Sarah Amira Leila Priya Hannah Chloe Maya Zoe Nadia Alice Ruth"),
    "male": _words("James Daniel Omar Adam Oliver Rohan Karim Thomas Henry Noah Samir Leo Jack Peter"),
}
