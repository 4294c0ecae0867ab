"""Every error that the project raises on purpose.

SmartTalkerError
├── ConfigurationError          settings that contradict each other or lack a part
│   └── ModelMissing            a model that the profile names is not on this machine
├── SurroundingsError           something that we stand on is away
│   ├── DatabaseUnavailable
│   ├── QueueUnavailable
│   ├── StorageError            the disk is full, read-only or unreadable
│   └── PortTaken
├── InputError                  what was sent can't be used; nothing was stored
│   ├── TextInvalid
│   ├── AudioInvalid
│   ├── PhotoInvalid, VoiceInvalid   no avatar or no voice can be made of it
│   ├── NotFound
│   ├── Forbidden
│   ├── Conflict
│   ├── MalformedBody, MediaTypeUnsupported, TooLarge
│   └── NotOffered              it exists, but not by this way
├── LimitReached                more than is taken at once; nothing was stored, and later it is taken
│   ├── QueueFull               by all people together
│   ├── TooManyOpen             by one of them
│   └── TooManyRequests         from one address
├── LayerError                  a layer failed for a turn
│   ├── ASRError, EmotionError, LLMError, TTSError, VideoError, UpscaleError
│   │   ├── AnswerCut           the language model failed after it had said something
│   │   └── SpeechFaulty        a voice ran away, stopped in the middle or made noise
│   ├── LanguageUnsupported     no engine of the layer knows the language
│   └── ChildDied               the process that holds the engines died, hung or was killed
├── ChannelError                a platform did not take what was sent
│   ├── PlatformAway            it does not answer, or says 5xx: nothing was sent
│   │   └── AccountRefused      it does not let our account in: everything waits until the operator has acted
│   ├── OutcomeUnknown          it went silent after the request was out: perhaps sent, perhaps not
│   ├── RateLimited             it asks to wait; waiting is no failed attempt
│   ├── WindowClosed            the person must write first
│   ├── Unreachable             the person has blocked the bot, or the chat is gone
│   ├── Refused                 the platform says that the request is wrong
│   └── MediaGone               what the person sent can no longer be fetched
├── StillBusy                   something must end first; it is tried again
├── LeaseLost                   another worker holds the turn now
└── Cancelled                   the user asked to stop

The class says what may be done about it: `permanent` errors are not tried again; `code` is the machine's word
in the error object; `status` the HTTP status; `message_id` the Fluent message for the user.
"""

from __future__ import annotations

from typing import Any, ClassVar

from core.kinds import Layer


class SmartTalkerError(Exception):
    """Something went wrong inside SmartTalker; the log of the same request id tells what."""

    code: ClassVar[str] = "internal_error"
    status: ClassVar[int] = 500
    permanent: bool = True
    message_id: ClassVar[str] = "error-internal"

    def __init__(self, message: str | None = None, *, message_id: str | None = None, **args: Any) -> None:
        super().__init__(message or type(self).__doc__ or self.code)
        self.user_message_id = message_id or self.message_id
        self.args_for_user = args


class ConfigurationError(SmartTalkerError):
    """A setting is missing or contradicts another: set it in `.env` or the environment."""

    code = "configuration"


class ModelMissing(ConfigurationError):
    """A model is not on this machine: fetch it with `smarttalker models fetch`."""

    code = "model_missing"
    message_id = "error-model-missing"


class SurroundingsError(SmartTalkerError):
    """Something that SmartTalker stands on is away: run `smarttalker doctor`."""

    code = "surroundings"
    status = 503
    permanent = False
    message_id = "error-unavailable"


class DatabaseUnavailable(SurroundingsError):
    """PostgreSQL does not answer: start it, or check SMARTTALKER_DATABASE_URL."""

    code = "database_unavailable"


class QueueUnavailable(SurroundingsError):
    """Redis does not answer: start it, or check SMARTTALKER_REDIS_URL."""

    code = "queue_unavailable"


class StorageError(SurroundingsError):
    """A file could not be written or read: free some disk space, or check SMARTTALKER_DATA_DIR's rights."""

    code = "storage"
    status = 507
    message_id = "error-storage"


class PortTaken(SurroundingsError):
    """The port is taken: stop the other program, or choose another with SMARTTALKER_PORT."""

    code = "port_taken"


class InputError(SmartTalkerError):
    """What was sent can't be used."""

    code = "invalid_input"
    status = 422
    message_id = "error-input"


class TextInvalid(InputError):
    """The text is empty, too long (2,000 characters) or not text."""

    code = "text_invalid"
    message_id = "error-text"


class AudioInvalid(InputError):
    """The recording can't be used: send Ogg/Opus, MP3, M4A, WAV or WebM, at most 5 minutes and 16 MB."""

    code = "audio_invalid"
    message_id = "error-audio"


class PhotoInvalid(InputError):
    """The photo can't become an avatar: send JPEG, PNG or WebP with one face, seen from the front."""

    code = "photo_invalid"
    message_id = "error-photo"


class VoiceInvalid(InputError):
    """The recording can't become a voice: 3 to 30 seconds of one person, spoken clearly in a quiet room."""

    code = "voice_invalid"
    message_id = "error-voice"


class NotFound(InputError):
    """There is no such thing."""

    code = "not_found"
    status = 404
    message_id = "error-not-found"


class Forbidden(InputError):
    """A key is missing or wrong: send it in the header X-API-Key."""

    code = "forbidden"
    status = 403
    message_id = "error-forbidden"


class Conflict(InputError):
    """The same Idempotency-Key came with another content: use a new key for a new message."""

    code = "conflict"
    status = 409
    message_id = "error-conflict"


class MalformedBody(InputError):
    """The body is not what its Content-Type says."""

    code = "malformed_body"
    status = 400
    message_id = "error-json"


class MediaTypeUnsupported(InputError):
    """The Content-Type is neither application/json nor multipart/form-data."""

    code = "media_type_unsupported"
    status = 415
    message_id = "error-media-type"


class TooLarge(InputError):
    """More was sent than is taken: at most 16 MB."""

    code = "too_large"
    status = 413
    message_id = "error-too-large"


class NotOffered(InputError):
    """This is done in another way for now; the message names it."""

    code = "not_offered"
    status = 501
    message_id = "error-not-built"


class LimitReached(SmartTalkerError):
    """More was sent than is taken at once; nothing was stored.

    retry_after_s: seconds after which it may be taken.
    """

    code = "limit_reached"
    status = 429
    permanent = False
    message_id = "error-queue-full"
    retry_after_s: ClassVar[int] = 30


class QueueFull(LimitReached):
    """As many messages wait for an answer as the machine takes (SMARTTALKER_QUEUE_LIMIT): send it again later."""

    code = "queue_full"
    status = 503


class TooManyOpen(LimitReached):
    """As many of this conversation's messages wait as one may have (SMARTTALKER_USER_OPEN): wait for an answer first.

    The number is an argument of the message.
    """

    code = "too_many_open"
    message_id = "error-too-many-open"


class TooManyRequests(LimitReached):
    """More requests came from one address than one client needs: wait as long as Retry-After says."""

    code = "too_many_requests"
    message_id = "error-too-many-requests"
    retry_after_s = 5


class LayerError(SmartTalkerError):
    """A layer failed; the turn is tried again, then answered with what is there.

    exhausted: memory did not suffice, of the card or of the machine. refused: whoever asks the same again will hear the
    same (this error is permanent, though its class is not).
    """

    code = "layer_failed"
    permanent = False
    layer: ClassVar[Layer | None] = None
    message_id = "error-layer"

    def __init__(
        self,
        message: str | None = None,
        *,
        message_id: str | None = None,
        exhausted: bool = False,
        refused: bool = False,
        **args: Any,
    ) -> None:
        super().__init__(message, message_id=message_id, **args)
        self.exhausted = exhausted
        self.permanent = self.permanent or refused

    @property
    def cause(self) -> str:
        """The machine's word for what happened: the class's code, or `out_of_memory`."""
        return "out_of_memory" if self.exhausted else self.code


class ASRError(LayerError):
    """The voice note could not be understood: say it again, closer to the microphone, or type it."""

    code = "asr_failed"
    layer = Layer.ASR
    message_id = "error-asr"


class NotUnderstood(ASRError):
    """Something was said, but not what this engine knows: ask one of the persona's questions, or type."""

    code = "not_understood"
    permanent = True
    message_id = "error-not-understood"


class LanguageUnsupported(ASRError):
    """No engine for this language is installed: `smarttalker models fetch` names and fetches one."""

    code = "language_unsupported"
    permanent = True
    message_id = "error-asr-language"


class EmotionError(LayerError):
    """The emotion could not be read; the turn goes on as neutral."""

    code = "emotion_failed"
    layer = Layer.EMOTION


class LLMError(LayerError):
    """No answer could be made: check the language model's server with `smarttalker doctor`."""

    code = "llm_failed"
    layer = Layer.LLM
    message_id = "error-llm"


class AnswerCut(LLMError):
    """The language model's server broke off in the middle of an answer: the whole sentences before it stand."""

    code = "llm_cut"


class TTSError(LayerError):
    """The answer could not be spoken; it is sent as text."""

    code = "tts_failed"
    layer = Layer.TTS
    message_id = "error-tts"


class SpeechFaulty(TTSError):
    """What the voice said can't be the text: it is spoken again, then by another voice."""

    code = "tts_faulty"


class VideoError(LayerError):
    """The video could not be drawn; the answer is sent as a voice note."""

    code = "video_failed"
    layer = Layer.VIDEO
    message_id = "error-video"


class UpscaleError(LayerError):
    """The video could not be enlarged; it is sent at the size it was drawn."""

    code = "upscale_failed"
    layer = Layer.UPSCALE


class ChildDied(LayerError):
    """The process that holds the engines died or hung; a new one is started and the turn goes on where it was."""

    code = "worker_died"


class ChannelError(SmartTalkerError):
    """A platform did not take what was sent."""

    code = "channel_failed"
    permanent = False


class PlatformAway(ChannelError):
    """The platform does not answer, or with 5xx; nothing was sent, and it is tried again."""

    code = "platform_away"


class AccountRefused(PlatformAway):
    """The platform does not let our account send: check the channel's token, and the account in its console."""

    code = "account_refused"


class OutcomeUnknown(ChannelError):
    """The platform went silent after the request was out: it is sent once more at most, marked as a repetition."""

    code = "outcome_unknown"


class RateLimited(ChannelError):
    """The platform asks to wait; that is no failed attempt.

    retry_after_s: seconds. whole: everything sent by the account must wait, not this chat alone.
    """

    code = "rate_limited"

    def __init__(self, retry_after_s: float, *, whole: bool = False) -> None:
        super().__init__(f"to be tried again in {retry_after_s:g} s")
        self.retry_after_s = retry_after_s
        self.whole = whole


class WindowClosed(ChannelError):
    """The platform's window for answers is closed: held until the person writes again."""

    code = "window_closed"
    permanent = True


class Unreachable(ChannelError):
    """The person has blocked the bot, or the chat is gone: nothing more is sent until they write again."""

    code = "unreachable"
    permanent = True


class Refused(ChannelError):
    """The platform says that the request is wrong; the log names its reason."""

    code = "refused"
    permanent = True


class MediaGone(ChannelError):
    """What the person sent can no longer be fetched from the platform: it must be sent again."""

    code = "media_gone"
    permanent = True
    message_id = "error-media-gone"


class StillBusy(SmartTalkerError):
    """Something of the same person is still under way; it is tried again when that has ended."""

    code = "still_busy"
    permanent = False
    message_id = "error-unavailable"


class LeaseLost(SmartTalkerError):
    """Another worker holds this turn now; what this one still writes is refused."""

    code = "lease_lost"


class Cancelled(SmartTalkerError):
    """The turn was cancelled."""

    code = "cancelled"
    message_id = "error-cancelled"


LAYER_ERRORS: dict[Layer, type[LayerError]] = {
    Layer.ASR: ASRError,
    Layer.EMOTION: EmotionError,
    Layer.LLM: LLMError,
    Layer.TTS: TTSError,
    Layer.VIDEO: VideoError,
    Layer.UPSCALE: UpscaleError,
}
"""What a failure of each layer is."""
