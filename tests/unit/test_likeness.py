"""Which wishes look like one, and what notes are shown without."""

import pytest

from callcenter.voice.likeness import alike, features_of, likeness, without_names
from callcenter.voice.policy import LIKE_ENOUGH


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Let me upload the ID photo from the gallery", "Uploading an ID photo from my gallery should work"),
        ("Show a countdown until the SMS code", "There should be a countdown for the SMS codes"),
        ("希望可以从相册上传身份证照片", "身份证照片能不能从相册里上传"),
        ("验证码倒计时看不清", "验证码的倒计时太小，看不清楚"),
    ],
)
def test_one_wish_in_two_wordings_is_alike(one: str, other: str) -> None:
    assert likeness(features_of(one), features_of(other)) >= LIKE_ENOUGH


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Let me upload the ID photo from the gallery", "The interest should be shown before the card"),
        ("希望可以从相册上传身份证照片", "利率应该提前告诉我们"),
        ("I would like to do it with you", "They should do it for us"),
        ("希望可以从相册上传", "Upload from the gallery"),
    ],
)
def test_different_wishes_are_not(one: str, other: str) -> None:
    assert likeness(features_of(one), features_of(other)) < LIKE_ENOUGH


def test_the_likest_comes_first_and_the_unlike_not_at_all() -> None:
    known = {
        "gallery": ["Upload the photo from the gallery", "从相册上传照片"],
        "photo": ["Photo rejected out of nowhere"],
        "rate": ["Say the interest earlier"],
    }
    found = alike("Upload a photo out of the gallery", known, LIKE_ENOUGH)
    assert [key for key, _ in found] == ["gallery", "photo"]
    assert found[0][1] > found[1][1]
    assert [key for key, _ in alike("照片想从相册上传", known, LIKE_ENOUGH)] == ["gallery"]
    assert alike("", known, LIKE_ENOUGH) == []


@pytest.mark.parametrize(
    ("note", "name", "shown"),
    [
        ("Call Chen Wei on 138 0013 8000", "Chen Wei", "Call ••• on •••"),
        ("ms wei said 3rd try, 8 min", "Chen Wei", "ms ••• said 3rd try, 8 min"),
        ("陈先生说身份证号是 11010519491231002X", "陈伟", "•••说身份证号是 •••X"),
        ("陈伟的电话+86-138-0013-8000打不通", "陈伟", "•••的电话•••打不通"),
        ("wrote to wei.chen@mail.example, card 6222 0202", "Chen Wei", "wrote to •••, card •••"),
        ("电话13800138000，身份证ID110105194912310021", None, "电话•••，身份证ID•••"),
        ("The weight of it", "Chen Wei", "The weight of it"),
        ("nothing to hide", None, "nothing to hide"),
    ],
)
def test_notes_are_shown_without_names_and_numbers(note: str, name: str | None, shown: str) -> None:
    assert without_names(note, name) == shown
