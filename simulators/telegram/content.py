"""What is in a message of the bot: each kind's rules, and the Bot API's object of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from simulators.media import Media
from simulators.telegram import formatting
from simulators.telegram.files import Files, TelegramFile, described
from simulators.telegram.refusals import bad
from simulators.telegram.wire import Call, Upload

Json = dict[str, Any]

PHOTO_BYTES: Final = 10 * 1024 * 1024
PHOTO_SUM, PHOTO_RATIO = 10_000, 20
NOTE_SIDE, NOTE_SECONDS = 640, 60.0
THUMB_BYTES, THUMB_SIDE = 200_000, 320
TOLERANCE_S: Final = 1.5
"""A duration in whole seconds may be off the file's by this much."""
CONTAINER_S: Final = 0.1
"""The last frame or packet may end a little after what was meant."""


@dataclass
class Content:
    """`fields`: of the Message object; `file`: what people see or hear."""

    kind: str
    fields: Json
    file: TelegramFile | None = None
    seconds: float | None = None
    width: int | None = None
    height: int | None = None
    size: int | None = None
    words: str | None = None


@dataclass
class Sender:
    """Makes the content of one request."""

    files: Files
    call: Call
    values: Json

    def make(self, kind: str) -> Content:
        if kind == "text":
            return self._text()
        if kind == "photo":
            return self._photo()
        return self._filed(kind)

    def _text(self) -> Content:
        words, entities = text_of(self.values)
        preview = self.values.get("link_preview_options")
        more = {"entities": entities, "link_preview_options": preview}
        return Content("text", {"text": words} | {k: v for k, v in more.items() if v}, words=words)

    def _photo(self) -> Content:
        file = self.file("photo")
        sizes = self.files.photo_sizes(file.data)
        made = self._content(file, {"photo": sizes})
        made.width, made.height = sizes[-1]["width"], sizes[-1]["height"]
        return made

    def _filed(self, kind: str) -> Content:
        file = self.file(kind)
        self._add_thumbnail(file)
        titles = {name: self.values.get(name) for name in ("performer", "title") if kind == "audio"}
        made = self._content(file, {kind: described(file, **titles)})
        made.seconds, made.width, made.height = file.media.seconds, file.media.width, file.media.height
        return made

    def _content(self, file: TelegramFile, fields: Json) -> Content:
        words, entities = caption_of(self.values)
        more: Json = {"caption": words, "caption_entities": entities}
        flags = {"show_caption_above_media": "show_caption_above_media", "has_spoiler": "has_media_spoiler"}
        more |= {told: self.values.get(name) for name, told in flags.items()}
        fields |= {name: value for name, value in more.items() if value}
        return Content(file.kind, fields, file=file, size=file.size, words=words)

    def file(self, kind: str, name: str | None = None) -> TelegramFile:
        """The file of an argument: uploaded, attached, or known by its id; Refused where it breaks the kind's rules."""
        given = self.values.get(name or kind)
        upload = self.uploaded(given)
        if upload is None:
            return self._known(kind, str(given))
        if not upload.data:
            raise bad("file must be non-empty")
        file = self.files.add(kind, upload.data, _mime(kind, upload), upload.name)
        check(file, self.values)
        return file

    def uploaded(self, given: Any) -> Upload | None:
        if isinstance(given, str) and given.startswith("attach://"):
            given = self.call.files.get(given.removeprefix("attach://"))
            if given is None:
                raise bad("attached file not found")
        return given if isinstance(given, Upload) else None

    def _known(self, kind: str, given: str) -> TelegramFile:
        if "://" in given:
            raise bad(
                "wrong type of the web page content" if kind == "video_note" else "failed to get HTTP URL content"
            )
        file = self.files.by_id(given)
        if file is None:
            raise bad("wrong remote file identifier specified: Wrong character in the string")
        if file.kind != kind:
            raise bad(f"can't use file of type {file.kind} as {kind}")
        return file

    def _add_thumbnail(self, file: TelegramFile) -> None:
        given = self.values.get("thumbnail")
        if given is None:
            return
        upload = self.uploaded(given)
        if upload is None:
            raise bad("thumbnails can be only uploaded as a new file")
        thumbnail = self.files.preview(upload.data)
        media = thumbnail.media
        if (
            media.container != "jpeg"
            or media.bytes >= THUMB_BYTES
            or max(media.width or 0, media.height or 0) > THUMB_SIDE
        ):
            raise bad("wrong thumbnail: JPEG, less than 200 kB, at most 320 pixels a side expected")
        file.thumbnail = thumbnail


def text_of(values: Json) -> tuple[str, list[Json]]:
    words, entities = formatting.formatted(values["text"], values.get("parse_mode"), values.get("entities"))
    if not words:
        raise bad("text must be non-empty")
    return formatting.limited(words, formatting.MAX_TEXT, "message is too long"), entities


def caption_of(values: Json) -> tuple[str, list[Json]]:
    given = values.get("caption") or ""
    words, entities = formatting.formatted(given, values.get("parse_mode"), values.get("caption_entities"))
    return formatting.limited(words, formatting.MAX_CAPTION, "message caption is too long"), entities


def check(file: TelegramFile, values: Json) -> None:
    """The rules of sendVoice, sendAudio, sendVideo, sendVideoNote and sendPhoto about files, and whether the request
    says of the file what it is (Telegram believes it, and people see it wrong)."""
    media = file.media
    rule = {"voice": _voice, "audio": _audio, "video": _video, "video_note": _note, "photo": _photo}.get(file.kind)
    if rule is not None:
        rule(media)
    _check_said(file, values)


def _check_said(file: TelegramFile, values: Json) -> None:
    media = file.media
    side = {"length": media.width} if file.kind == "video_note" else {}
    for name, real in {"width": media.width, "height": media.height, **side}.items():
        if name in values and file.kind in ("video", "video_note") and values[name] != real:
            raise bad(f"{name} is said to be {values[name]}, and is {real}")
    said = values.get("duration")
    if said is not None and file.kind != "document" and abs(said - (media.seconds or 0)) > TOLERANCE_S:
        raise bad(f"duration is said to be {said}, and is {media.seconds}")


def _voice(media: Media) -> None:
    right = media.is_opus_note or (media.container in ("mp3", "mp4") and media.video_codec is None)
    if not (right and media.audio_codec):
        raise bad("wrong voice file: Ogg with Opus, MP3 or M4A expected")


def _audio(media: Media) -> None:
    if media.container not in ("mp3", "mp4") or media.audio_codec is None:
        raise bad("wrong audio file: MP3 or M4A expected")


def _video(media: Media) -> None:
    if media.container != "mp4" or media.video_codec not in ("h264", "hevc", "mpeg4"):
        raise bad("wrong video file: MPEG-4 expected")


def _note(media: Media) -> None:
    if media.container != "mp4" or media.video_codec != "h264":
        raise bad("wrong video note: MPEG-4 with H.264 expected")
    if media.width != media.height or not media.width or media.width > NOTE_SIDE:
        raise bad(f"wrong video note length: {media.width}x{media.height}, a square of at most 640 expected")
    if (media.seconds or 0) > NOTE_SECONDS + CONTAINER_S:
        raise bad(f"video note is too long: {media.seconds} s, at most 60 expected")


def _photo(media: Media) -> None:
    if not media.is_image:
        raise bad("IMAGE_PROCESS_FAILED")
    if media.bytes > PHOTO_BYTES:
        raise bad(f"file of size {media.bytes} bytes is too big for a photo; the maximum size is {PHOTO_BYTES} bytes")
    width, height = media.width or 1, media.height or 1
    if width + height > PHOTO_SUM or max(width, height) > PHOTO_RATIO * min(width, height):
        raise bad("PHOTO_INVALID_DIMENSIONS")


def _mime(kind: str, upload: Upload) -> str:
    """Voice messages are `audio/ogg` whatever the form says; a document keeps what was said."""
    return upload.mime if kind == "document" else ""
