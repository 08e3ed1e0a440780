"""Sentences that tell a count: thousands are separated in it as in every other figure."""

from typing import Any

from flask_babel import get_domain
from jinja2 import Environment, pass_context
from jinja2.runtime import Context

from callcenter.web.formats import number


def ngettext(singular: str, plural: str, num: int, **values: Any) -> str:
    """A sentence in the viewer's language with `%(num)s` of something: 1,204 customers."""
    translations = get_domain().get_translations()  # type: ignore[no-untyped-call]
    sentence = translations.ungettext(singular, plural, num)
    return str(sentence % {"num": number(num), **values})


def count_in_templates(env: Environment) -> None:
    """Let templates tell counts in the same way. To be called after Babel has been set up."""
    as_it_was = env.globals["ngettext"]

    @pass_context
    def counting(context: Context, singular: str, plural: str, num: int, **values: Any) -> Any:
        return as_it_was(context, singular, plural, num, **{"num": number(num), **values})  # type: ignore[operator]

    env.globals["ngettext"] = counting
