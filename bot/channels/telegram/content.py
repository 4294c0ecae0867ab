"""What a message holds: a recording, a picture, or something that can't be answered."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from bot.channels.telegram.fields import part, parts, size, word

_SIZES = 32
"""Sizes of one photo that are looked at; Telegram sends at most five."""
_VOICES: Final = ("voice", "audio", "video_note")

_UNSUPPORTED: Final = {
    "animation": "video",
    "video": "video",
    "sticker": "sticker",
    "venue": "location",
    "location": "location",
    "document": "document",
    "poll": "poll",
    "contact": "contact",
    "dice": "game",
    "game": "game",
    "story": "other",
    "paid_media": "other",
    "live_photo": "other",
    "checklist": "other",
    "rich_message": "other",
    "giveaway": "other",
    "invoice": "other",
}
"""A message's field, in the order of looking (an animation is a document too), and our word for it."""

_SERVICE_FIELDS: Final = """
new_chat_members left_chat_member chat_owner_left chat_owner_changed new_chat_title new_chat_photo
delete_chat_photo group_chat_created supergroup_chat_created channel_chat_created
message_auto_delete_timer_changed pinned_message successful_payment refunded_payment users_shared chat_shared
gift unique_gift gift_upgrade_sent connected_website write_access_allowed passport_data
proximity_alert_triggered boost_added chat_background_set checklist_tasks_done checklist_tasks_added
direct_message_price_changed forum_topic_created forum_topic_edited forum_topic_closed forum_topic_reopened
general_forum_topic_hidden general_forum_topic_unhidden giveaway_created giveaway_winners giveaway_completed
managed_bot_created paid_message_price_changed poll_option_added poll_option_deleted suggested_post_approved
suggested_post_approval_failed suggested_post_declined suggested_post_paid suggested_post_refunded
video_chat_scheduled video_chat_started video_chat_ended video_chat_participants_invited web_app_data
"""
"""What Telegram tells of a chat rather than what somebody says in it (Bot API 10.1, Message)."""
_SERVICE: Final = frozenset(_SERVICE_FIELDS.split())


def remote_of(message: Mapping[str, Any], caption: str, most: int) -> dict[str, Any] | None:
    """`Inbound.remote` of a recording or a picture; most: bytes that Telegram hands out."""
    for what in _VOICES:
        if found := part(message, what):
            return _recording(found, what)
    if sizes := parts(message, "photo", _SIZES):
        return _picture(_best(sizes, most), caption)
    return None if "animation" in message else _document(part(message, "document"), caption)


def unsupported_of(message: Mapping[str, Any]) -> str | None:
    """The word for what can't be answered; None for a service message."""
    for name, kind in _UNSUPPORTED.items():
        if name in message:
            return kind
    return None if _SERVICE & message.keys() else "other"


def _recording(found: Mapping[str, Any], what: str) -> dict[str, Any] | None:
    described = {"seconds": size(found.get("duration")), "mime": word(found.get("mime_type")), "what": what}
    return _file("voice", found, described)


def _picture(found: Mapping[str, Any], caption: str) -> dict[str, Any] | None:
    sides = {"width": size(found.get("width")), "height": size(found.get("height"))}
    return _file("photo", found, {**sides, "caption": caption or None})


def _document(found: Mapping[str, Any], caption: str) -> dict[str, Any] | None:
    mime = word(found.get("mime_type")) or ""
    if mime.startswith("audio/"):
        return _recording(found, "audio")
    return _picture(found, caption) if mime.startswith("image/") and "svg" not in mime else None


def _best(sizes: list[Mapping[str, Any]], most: int) -> Mapping[str, Any]:
    """The largest that Telegram hands out."""
    within = [each for each in sizes if (size(each.get("file_size")) or 0) <= most]
    return max(within or sizes, key=lambda each: (size(each.get("width")) or 0) * (size(each.get("height")) or 0))


def _file(kind: str, found: Mapping[str, Any], described: dict[str, Any]) -> dict[str, Any] | None:
    file_id = word(found.get("file_id"))
    if file_id is None:
        return None
    named = {"id": file_id, "unique": word(found.get("file_unique_id")), "bytes": size(found.get("file_size"))}
    return {"kind": kind, **named, **described}
