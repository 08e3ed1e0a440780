"""Recordings of calls and conferences: start, pause, stop, delete, what is told of them, and their sound.

Call every method under the books' lock. The sound is made up when it is asked for: a short tone each
second, as long as the recording lasted, so that a player has something to show and memory stays flat.
"""

import io
import math
import struct
import wave

from .callbacks import rfc2822
from .records import Call, Conference, Params, Recording, RecordingOrder
from .webhooks import Webhook
from .world import World

PROCESSING_S = 0.5
TOO_SHORT = 16101
SAMPLES_PER_SECOND = 8_000
LONGEST_MEDIA_S = 600


class Recorder:
    def __init__(self, world: World) -> None:
        self._world = world
        self._books = world.books

    def start(
        self, order: RecordingOrder, call: Call | None = None, room: Conference | None = None
    ) -> Recording:
        """Record from now on; tells `in-progress` to whoever asked."""
        made = self._books.open_recording(order, call.sid if call else None, room.sid if room else None)
        self._world.journal.note("recording.started", recording=made.sid, source=order.source)
        self._announce(made)
        return made

    def running(self, sid: str) -> list[Recording]:
        """Recordings of this call or conference that have not stopped, newest first."""
        return [each for each in self._books.recordings_of(sid) if each.is_running]

    def pause(self, recording: Recording, *, skip: bool) -> None:
        """Skip what is said meanwhile, or keep its place as silence."""
        recording.status = "paused"
        if skip:
            self._count(recording)
        recording.updated_at = self._books.now()

    def resume(self, recording: Recording) -> None:
        recording.status = "in-progress"
        recording.updated_at = self._books.now()
        if recording.running_since is None:
            recording.running_since = recording.updated_at

    def stop(self, recording: Recording) -> None:
        """End it; it is `processing` for a moment, then `completed`, or `absent` when nothing is in it."""
        if not recording.is_running:
            return
        self._count(recording)
        recording.status = "processing"
        recording.ended_at = recording.updated_at = self._books.now()
        self._world.timers.after(PROCESSING_S, lambda: self._processed(recording), scaled=True)

    def stop_all(self, sid: str) -> None:
        """The call or conference is over."""
        for recording in self.running(sid):
            self.stop(recording)

    def delete(self, recording: Recording) -> None:
        recording.status = "deleted"
        self._books.recordings.pop(recording.sid, None)

    def duration_s(self, recording: Recording) -> int:
        """Whole seconds, at least one of something."""
        return max(1, round(recording.counted_s)) if recording.counted_s > 0 else 0

    def _count(self, recording: Recording) -> None:
        recording.counted_s = recording.seconds(self._books.now())
        recording.running_since = None

    def _processed(self, recording: Recording) -> None:
        with self._books.lock:
            if recording.status != "processing":
                return
            recording.status = "completed" if recording.counted_s > 0 else "absent"
            recording.error_code = None if recording.counted_s > 0 else TOO_SHORT
            recording.updated_at = self._books.now()
            self._announce(recording)

    def _announce(self, recording: Recording) -> None:
        callback = recording.order.callback
        if callback is None or recording.status not in callback.events:
            return
        subject = recording.conference_sid or recording.call_sid or recording.sid
        params = self._params(recording)
        lane = f"{subject}:recording"
        self._world.courier.send(Webhook("recording", lane, callback.url, params, callback.method))

    def _params(self, recording: Recording) -> Params:
        account = self._world.settings.account_sid
        params = [("AccountSid", account)]
        if recording.call_sid:
            params.append(("CallSid", recording.call_sid))
        if recording.conference_sid:
            params.append(("ConferenceSid", recording.conference_sid))
        params += [
            ("RecordingSid", recording.sid),
            ("RecordingUrl", media_url(self._world, recording)),
            ("RecordingStatus", recording.status),
            ("RecordingChannels", str(recording.order.channels)),
            ("RecordingStartTime", rfc2822(recording.created_at)),
            ("RecordingSource", recording.order.source),
            ("RecordingTrack", "both"),
            ("ErrorCode", str(recording.error_code or 0)),
        ]
        if not recording.is_running:
            params.append(("RecordingDuration", str(self.duration_s(recording))))
        return params


def media_url(world: World, recording: Recording) -> str:
    """Where the sound is, without the ending that chooses its format."""
    return f"{world.base_url}/2010-04-01/Accounts/{world.settings.account_sid}/Recordings/{recording.sid}"


def wav_of(seconds: int, channels: int) -> bytes:
    """A WAV file of that length, at most ten minutes: a quarter of a second of tone in every second."""
    one_second = b"".join(
        struct.pack(
            "<B", 128 + round(30 * math.sin(2 * math.pi * 440 * n / SAMPLES_PER_SECOND)) * (n < 2_000)
        )
        * channels
        for n in range(SAMPLES_PER_SECOND)
    )
    sound = io.BytesIO()
    with wave.open(sound, "wb") as file:
        file.setnchannels(channels)
        file.setsampwidth(1)
        file.setframerate(SAMPLES_PER_SECOND)
        file.writeframes(one_second * min(seconds, LONGEST_MEDIA_S))
    return sound.getvalue()
