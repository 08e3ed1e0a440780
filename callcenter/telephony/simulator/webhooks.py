"""Deliver webhooks: signed, in order per lane, with the retries the URL's fragment asks for.

Twilio's rule: 15 s in all, 5 s to connect, one retry and only when the connection failed, unless the
fragment says otherwise: `#rc=0..5&rp=ct,rt,4xx,5xx,all&ct=ms&rt=ms&tt=ms`. It is neither sent nor signed.
"""

import queue
import threading
import time
import uuid
from collections import Counter, deque
from collections.abc import Callable
from dataclasses import dataclass, field
from urllib.parse import parse_qs, urldefrag

import requests
from urllib3.exceptions import MaxRetryError

from .faults import Faults
from .journal import Journal, without_query
from .signing import signature_headers
from .timers import Timers

WORKERS = 12
REORDER_WAIT_S = 1.0
FIRST_RETRY_S = 0.1


@dataclass(frozen=True, slots=True)
class Reply:
    """What came back: a status and body, or the kind of failure (`ct` connect, `rt` read)."""

    status: int = 0
    body: str = ""
    content_type: str = ""
    failure: str = ""

    @property
    def is_success(self) -> bool:
        return 200 <= self.status < 300


@dataclass(frozen=True, slots=True)
class RetryRule:
    count: int = 1
    causes: frozenset[str] = frozenset({"ct"})
    connect_s: float = 5.0
    read_s: float = 15.0
    total_s: float = 15.0

    def covers(self, reply: Reply) -> bool:
        cause = reply.failure or (f"{reply.status // 100}xx" if reply.status >= 400 else "")
        return bool(cause) and (cause in self.causes or "all" in self.causes)


def retry_rule(fragment: str) -> RetryRule:
    """Read a connection-override fragment; what it does not name keeps Twilio's default."""
    given = {name: values[-1] for name, values in parse_qs(fragment).items()}

    def number(name: str, default: float, most: float) -> float:
        text = given.get(name, "")
        return min(float(text), most) if text.isdigit() else default

    return RetryRule(
        count=int(number("rc", 1, 5)),
        causes=frozenset(given["rp"].split(",")) if "rp" in given else frozenset({"ct"}),
        connect_s=number("ct", 5_000, 10_000) / 1_000,
        read_s=number("rt", 15_000, 15_000) / 1_000,
        total_s=number("tt", 15_000, 15_000) / 1_000,
    )


@dataclass(slots=True)
class Webhook:
    """One request to the product. Webhooks of one `lane` are sent one after another."""

    kind: str
    lane: str
    url: str
    params: list[tuple[str, str]]
    method: str = "POST"
    on_done: Callable[[Reply], None] | None = None
    token: str = field(default_factory=lambda: str(uuid.uuid4()))
    tries: int = 0
    first_try: float = 0.0
    is_forged: bool = False

    @property
    def is_callback(self) -> bool:
        return self.kind != "twiml"

    @property
    def what(self) -> str:
        """The event inside, for the log."""
        facts = dict(self.params)
        return facts.get("StatusCallbackEvent") or facts.get("CallStatus", "")


class Courier:
    """A small pool of threads that carries webhooks; a busy lane waits in memory, not in a thread."""

    def __init__(
        self, timers: Timers, faults: Faults, journal: Journal, auth_token: str, algorithm: str
    ) -> None:
        self._timers = timers
        self._faults = faults
        self._journal = journal
        self._auth_token = auth_token
        self._algorithm = algorithm
        self._ready: queue.SimpleQueue[Webhook | None] = queue.SimpleQueue()
        self._lanes: dict[str, deque[Webhook]] = {}
        self._held: dict[str, Webhook] = {}
        self._in_hand = 0
        self._changed = threading.Condition()
        self.tally: Counter[str] = Counter()
        self.witness: Callable[[Webhook, Reply, int], None] = lambda _webhook, _reply, _ms: None

    def start(self) -> None:
        for number in range(WORKERS):
            threading.Thread(target=self._work, name=f"webhooks-{number}", daemon=True).start()

    def stop(self) -> None:
        for _ in range(WORKERS):
            self._ready.put(None)

    def send(self, webhook: Webhook) -> None:
        """Take it for delivery and return at once; callback faults strike here."""
        if webhook.is_callback and self._faults.strikes("cb_drop"):
            self._journal.note("webhook.dropped", kind=webhook.kind, lane=webhook.lane, what=webhook.what)
            return
        copies = 2 if webhook.is_callback and self._faults.strikes("cb_dup") else 1
        if webhook.is_callback and self._faults.strikes("cb_reorder"):
            self._hold(webhook)
            copies -= 1
        for _ in range(copies):
            self._enqueue(webhook)
        if copies:
            self._release(webhook.lane)

    def busy_lanes(self) -> int:
        """How many lanes have something being sent, waiting or due for a retry."""
        with self._changed:
            return len(self._lanes)

    def wait_until_idle(self, lane: str, seconds: float) -> None:
        """Block until the lane has nothing to deliver, at most `seconds`."""
        with self._changed:
            self._changed.wait_for(lambda: lane not in self._lanes, timeout=seconds)

    def wait_until_still(self, seconds: float) -> None:
        """Block until nothing is being sent or due for a retry; what a fault delays is not waited for."""
        with self._changed:
            self._changed.wait_for(lambda: self._in_hand == 0, timeout=seconds)

    def _hold(self, webhook: Webhook) -> None:
        self._release(webhook.lane)
        self._held[webhook.lane] = webhook
        self._timers.after(REORDER_WAIT_S, lambda: self._release(webhook.lane), real=True)

    def _release(self, lane: str) -> None:
        held = self._held.pop(lane, None)
        if held is not None:
            self._enqueue(held)

    def _enqueue(self, original: Webhook) -> None:
        """A copy, so that a doubled callback keeps its own count of tries but the same token."""
        webhook = Webhook(
            original.kind,
            original.lane,
            original.url,
            original.params,
            original.method,
            original.on_done,
            original.token,
        )
        with self._changed:
            if webhook.lane in self._lanes:
                self._lanes[webhook.lane].append(webhook)
                return
            self._lanes[webhook.lane] = deque()
        self._launch(webhook)

    def _launch(self, webhook: Webhook) -> None:
        delay = self._faults.seconds("cb_delay") if webhook.is_callback else 0.0
        if delay:
            self._timers.after(delay, lambda: self._hand_over(webhook))
        else:
            self._hand_over(webhook)

    def _hand_over(self, webhook: Webhook) -> None:
        with self._changed:
            self._in_hand += 1
        self._ready.put(webhook)

    def _work(self) -> None:
        with requests.Session() as session:
            session.trust_env = False
            while (webhook := self._ready.get()) is not None:
                is_over = True
                try:
                    is_over = self._deliver(session, webhook)
                except Exception as error:  # a broken delivery must not cost the pool a thread
                    self._journal.note_error(error)
                if is_over:
                    self._finish(webhook)

    def _deliver(self, session: requests.Session, webhook: Webhook) -> bool:
        """Send it once and act on the reply. False when it will be tried again."""
        rule = retry_rule(urldefrag(webhook.url).fragment)
        webhook.tries += 1
        webhook.first_try = webhook.first_try or time.monotonic()
        started = time.monotonic()
        reply = self._request(session, webhook, rule)
        self._note(webhook, reply, round((time.monotonic() - started) * 1_000))
        pause = FIRST_RETRY_S * 2 ** (webhook.tries - 1)
        time_left = webhook.first_try + rule.total_s - time.monotonic() - pause
        if webhook.tries <= rule.count and rule.covers(reply) and time_left > 0:
            self._timers.after(pause, lambda: self._ready.put(webhook), real=True)
            return False
        if not reply.is_success:
            self._count("undelivered")
        if webhook.on_done is not None:
            webhook.on_done(reply)
        return True

    def _note(self, webhook: Webhook, reply: Reply, ms: int) -> None:
        """Into the log, the call's Events and the tally of signatures taken wrongly or refused wrongly."""
        self._journal.note(
            "webhook.delivered" if reply.status else "webhook.failed",
            kind=webhook.kind,
            lane=webhook.lane,
            what=webhook.what,
            url=without_query(webhook.url),
            status=reply.status,
            failure=reply.failure,
            ms=ms,
            attempt=webhook.tries,
        )
        self._count("sent")
        if webhook.is_forged and reply.is_success:
            self._count("forged_but_accepted")
        if not webhook.is_forged and reply.status in (401, 403):
            self._count("signed_but_refused")
        self.witness(webhook, reply, ms)

    def _count(self, what: str) -> None:
        with self._changed:
            self.tally[what] += 1

    def _finish(self, webhook: Webhook) -> None:
        following: Webhook | None = None
        with self._changed:
            self._in_hand -= 1
            waiting = self._lanes.get(webhook.lane)
            if waiting:
                following = waiting.popleft()
            else:
                self._lanes.pop(webhook.lane, None)
            if following is not None:
                self._in_hand += 1  # until it is launched: between two of a lane it is not still
            self._changed.notify_all()
        if following is not None:
            self._launch(following)
            with self._changed:
                self._in_hand -= 1
                self._changed.notify_all()

    def _request(self, session: requests.Session, webhook: Webhook, rule: RetryRule) -> Reply:
        is_get = webhook.method == "GET"
        request = requests.Request(
            webhook.method,
            urldefrag(webhook.url).url,
            params=webhook.params if is_get else None,
            data=None if is_get else webhook.params,
            headers={
                "User-Agent": "TwilioProxy/1.1",
                "I-Twilio-Idempotency-Token": webhook.token,
                "Connection": "close",
            },
        )
        prepared = session.prepare_request(request)
        webhook.is_forged = self._faults.strikes("bad_signature")
        key = "not-the-key" if webhook.is_forged else self._auth_token
        signed = [] if is_get else webhook.params
        prepared.headers.update(signature_headers(prepared.url or "", signed, key, self._algorithm))
        try:
            response = session.send(
                prepared, timeout=(rule.connect_s, rule.read_s), allow_redirects=False, proxies={}
            )
        except requests.ReadTimeout:
            return Reply(failure="rt")
        except requests.ConnectionError as error:
            refused = isinstance(error, requests.ConnectTimeout) or isinstance(error.args[0], MaxRetryError)
            return Reply(failure="ct" if refused else "rt")
        except requests.RequestException:
            return Reply(failure="rt")
        return Reply(response.status_code, response.text, response.headers.get("Content-Type", ""))
