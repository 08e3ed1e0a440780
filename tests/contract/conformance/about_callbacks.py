"""Promises about callbacks: signed, told in any order and more than once, and never with a person's number."""

from dataclasses import replace
from uuid import uuid4

from callcenter.domain.enums import AttemptState
from callcenter.domain.ports import CallbackRequest
from tests.contract.conformance.bench import Bench, FarEnd, Leg, steps
from tests.contract.conformance.scenes import asked, conversation, placed


def _of_a_busy_call(bench: Bench) -> tuple[str, str, list[CallbackRequest]]:
    """Return name, number and callbacks of a call that found the line busy."""
    attempt, number = uuid4(), bench.number(FarEnd.BUSY)
    ref = placed(asked(bench, number, attempt))
    bench.wait_for(lambda: any(event.state is AttemptState.ENDED for event in steps(bench, attempt)))
    return ref, number, list(bench.callbacks(Leg.ATTEMPT, attempt))


def a_callback_reaches_its_attempt_and_names_its_call(bench: Bench) -> None:
    """Bound by the address, so that a call whose `ref` was never learned is known all the same."""
    first, second = uuid4(), uuid4()
    refs = {each: placed(asked(bench, bench.number(FarEnd.BUSY), each)) for each in (first, second)}
    for attempt, ref in refs.items():
        bench.wait_for(lambda of=attempt: steps(bench, of))  # type: ignore[misc]
        assert {event.ref for event in steps(bench, attempt)} == {ref}


def a_callback_told_twice_has_one_key_and_two_have_two(bench: Bench) -> None:
    """The key is the inbox's: a doubled callback is kept once, and no other is lost by it."""
    talk = conversation(bench)
    bench.carrier.hang_up(talk.ref)
    bench.wait_for(lambda: any(e.state is AttemptState.ENDED for e in steps(bench, talk.attempt)))
    for leg, subject in ((Leg.ATTEMPT, talk.attempt), (Leg.ROOM, talk.agent)):
        requests = bench.callbacks(leg, subject)
        once = [news.key for request in requests for news in bench.carrier.parse(request)]
        twice = [news.key for request in requests for news in bench.carrier.parse(request)]
        assert once == twice and all(once), "the same callback, the same key"
        assert len(set(once)) == len(once) >= 2, "another event, another key"


def callbacks_out_of_order_say_the_same(bench: Bench) -> None:
    """`parse` remembers nothing: what a callback says does not depend on those before it."""
    _, _, requests = _of_a_busy_call(bench)
    forwards = [bench.carrier.parse(request) for request in requests]
    backwards = [bench.carrier.parse(request) for request in reversed(requests)]
    assert len(requests) >= 2 and all(forwards), "each is news whenever it comes"
    assert forwards == list(reversed(backwards))


def a_genuine_callback_is_believed_and_a_changed_one_is_not(bench: Bench) -> None:
    """One changed letter, one field more or less, another address, no signature: none is the carrier's."""
    _, _, requests = _of_a_busy_call(bench)
    for request in requests:
        assert bench.carrier.verify(request)
        name, value = request.form[0]
        rest = list(request.form[1:])
        for forged in (
            replace(request, form=[(name, value[:-1] + ("0" if value[-1:] != "0" else "1")), *rest]),
            replace(request, form=rest),
            replace(request, form=[*request.form, ("Added", "1")]),
            replace(request, target=request.target.replace("attempt", "attempts")),
            replace(request, headers={}),
        ):
            assert not bench.carrier.verify(forged), forged
    first, last = requests[0], requests[-1]
    assert not bench.carrier.verify(replace(last, headers=first.headers)), "another callback's signature"


def a_callback_that_says_nothing_we_know_is_no_news_and_no_fault(bench: Bench) -> None:
    """Carriers add things without notice; garbage is neither an exception nor believed."""
    for form in ([], [("Hello", "world")], [("news", "{")], [("CallSid", "")], [("\ud800", "\x00")]):
        request = CallbackRequest("/carrier/nothing", form, {})
        assert list(bench.carrier.parse(request)) == []
        assert not bench.carrier.verify(request)


def a_field_nobody_knows_changes_nothing(bench: Bench) -> None:
    """What is told, and its key, stay the same when the carrier adds a field."""
    _, _, requests = _of_a_busy_call(bench)
    for request in requests:
        more = replace(request, form=[*request.form, ("SomethingNew", "1")])
        plain, added = bench.carrier.parse(request), bench.carrier.parse(more)
        assert [news.key for news in plain] == [news.key for news in added]
        assert [type(news) for news in plain] == [type(news) for news in added]


def what_is_kept_of_a_callback_names_nobody_s_number(bench: Bench) -> None:
    """`raw` goes into the inbox and stays there; the attempt knows its number already."""
    _, number, requests = _of_a_busy_call(bench)
    for request in requests:
        for news in bench.carrier.parse(request):
            assert number.lstrip("+") not in str(dict(news.raw))


PROMISES = (
    a_callback_reaches_its_attempt_and_names_its_call,
    a_callback_told_twice_has_one_key_and_two_have_two,
    callbacks_out_of_order_say_the_same,
    a_genuine_callback_is_believed_and_a_changed_one_is_not,
    a_callback_that_says_nothing_we_know_is_no_news_and_no_fault,
    a_field_nobody_knows_changes_nothing,
    what_is_kept_of_a_callback_names_nobody_s_number,
)
