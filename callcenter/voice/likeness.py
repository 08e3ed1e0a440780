"""How alike two wishes are, in English and Chinese, and how notes are shown without names and numbers. Pure."""

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from math import sqrt
from typing import TypeVar
from unicodedata import normalize

Key = TypeVar("Key")
_WORD = re.compile(r"[a-z0-9]+")
_HAN = re.compile(r"[\u3400-\u4dbf\u4e00-\u9fff]+")
_SAID_ANYWAY = """
a an and are as at be but by can could do does for from had has have he her his i if in is it its let may me
my not of on or our she should so that the their them then there they this to too us was we were when which
who will wish wishes with would you your customer customers want wants wanted please
"""
_STOP = frozenset(_SAID_ANYWAY.split())
_STOP_HAN = frozenset("的了和是在我有也就都而及与着或一个们你您他她它这那吗呢吧啊请想要")
_DOTS = "•••"
_NUMBERS = re.compile(r"[+(]?\d(?:[\d\s().\-\u2013/]*\d)?")
_ADDRESS = re.compile(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+")
_KEPT_DIGITS = 3


def features_of(text: str) -> Counter[str]:
    """Return what a text is compared by: its words, cut to their stems, and its pairs of Chinese characters."""
    plain = normalize("NFKC", text).lower()
    found: Counter[str] = Counter()
    for word in _WORD.findall(plain):
        if word not in _STOP:
            found[_stem(word)] += 1
    for run in _HAN.findall(plain):
        pairs = [run[at : at + 2] for at in range(len(run) - 1)] or [run]
        found.update(pair for pair in pairs if not _STOP_HAN.issuperset(pair))
    return found


def _stem(word: str) -> str:
    """Cut an English word so that one thing said in two ways is one."""
    for end in ("ings", "ing", "ies", "ied", "ed", "es", "s"):
        if word.endswith(end) and len(word) - len(end) >= 3:
            cut = word[: -len(end)] + ("y" if end in ("ies", "ied") else "")
            return cut[:-1] if len(cut) > 3 and cut[-1] == cut[-2] else cut
    return word


def likeness(one: Counter[str], other: Counter[str]) -> float:
    """Return the cosine of two texts' features: 0 nothing in common, 1 the same."""
    if not one or not other:
        return 0.0
    shared = sum(count * other[feature] for feature, count in one.items())
    return shared / sqrt(sum(c * c for c in one.values()) * sum(c * c for c in other.values()))


def alike(text: str, others: Mapping[Key, Iterable[str]], least: float) -> list[tuple[Key, float]]:
    """Return the others that a text is like, the likest first; each is as like as the likest of its texts."""
    mine = features_of(text)
    found = [
        (key, max((likeness(mine, features_of(one)) for one in texts), default=0.0))
        for key, texts in others.items()
    ]
    return sorted((one for one in found if one[1] >= least), key=lambda one: -one[1])


def without_names(text: str, name: str | None) -> str:
    """Return what an agent wrote down without the customer's name, addresses and numbers of four digits or more.

    In: the note and the customer's full name. A number of up to three digits stays: "try 2", "8 min".
    """
    shown = _ADDRESS.sub(_DOTS, text)
    shown = _NUMBERS.sub(_masked, shown)
    for part in _parts_of(name or ""):
        if part.isascii():
            shown = re.sub(rf"(?i)\b{re.escape(part)}\b", _DOTS, shown)
        else:
            shown = shown.replace(part, _DOTS)
    return shown


def _masked(found: re.Match[str]) -> str:
    digits = sum(letter.isdigit() for letter in found.group())
    return found.group() if digits <= _KEPT_DIGITS else _DOTS


_TITLES = ("先生", "女士", "小姐", "太太")


def _parts_of(name: str) -> list[str]:
    """The forms in which a name is written down, the longest first."""
    whole = name.strip()
    if not whole:
        return []
    han = _HAN.findall(whole)
    parts = {whole, *(part for part in re.split(r"[\s,.]+", whole) if len(part) > 1)}
    for run in han:
        parts |= {run} | {run[:cut] + title for cut in (1, 2) for title in _TITLES}
        if len(run) > 2:
            parts.add(run[1:])
    return sorted((part for part in parts if len(part) > 1), key=len, reverse=True)
