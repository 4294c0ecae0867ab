"""Which fields each method takes: the parts of Bot API 10.1 that a chat bot needs, names and types as published.

A field is written `name:Type`, `*` before a required one; types are the documentation's, `Array of X` as `[X]`,
alternatives with `|`. Tests compare both tables with the published schema. `OPAQUE` types are taken as any object.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True)
class Field:
    types: tuple[str, ...]
    required: bool


Fields = dict[str, Field]


def _fields(*lines: str) -> Fields:
    table: Fields = {}
    for word in " ".join(lines).split():
        name, types = word.removeprefix("*").split(":")
        table[name] = Field(tuple(types.split("|")), word.startswith("*"))
    return table


_BUSINESS = "business_connection_id:String"
_TO = f"{_BUSINESS} *chat_id:Integer|String message_thread_id:Integer"
_TOPIC = "direct_messages_topic_id:Integer"
_HOW = "disable_notification:Boolean protect_content:Boolean allow_paid_broadcast:Boolean message_effect_id:String"
_POST = "suggested_post_parameters:SuggestedPostParameters reply_parameters:ReplyParameters"
_KEYS = "reply_markup:InlineKeyboardMarkup|ReplyKeyboardMarkup|ReplyKeyboardRemove|ForceReply"
_END = f"{_HOW} {_POST} {_KEYS}"
_CAPTION = "caption:String parse_mode:String caption_entities:[MessageEntity]"
_ABOVE = "show_caption_above_media:Boolean has_spoiler:Boolean"
_THUMB = "thumbnail:InputFile|String"
_EDITED = f"{_BUSINESS} chat_id:Integer|String message_id:Integer inline_message_id:String"
_INLINE = "reply_markup:InlineKeyboardMarkup"
_ALBUM = "[InputMediaAudio]|[InputMediaDocument]|[InputMediaLivePhoto]|[InputMediaPhoto]|[InputMediaVideo]"
_COMMANDS = "scope:BotCommandScope language_code:String"

METHODS: Final[dict[str, Fields]] = {
    "getMe": {},
    "setWebhook": _fields(
        "*url:String certificate:InputFile ip_address:String max_connections:Integer allowed_updates:[String]",
        "drop_pending_updates:Boolean secret_token:String",
    ),
    "deleteWebhook": _fields("drop_pending_updates:Boolean"),
    "getWebhookInfo": {},
    "getUpdates": _fields("offset:Integer limit:Integer timeout:Integer allowed_updates:[String]"),
    "setMyCommands": _fields("*commands:[BotCommand]", _COMMANDS),
    "getMyCommands": _fields(_COMMANDS),
    "deleteMyCommands": _fields(_COMMANDS),
    "setMyDescription": _fields("description:String language_code:String"),
    "setMyShortDescription": _fields("short_description:String language_code:String"),
    "sendMessage": _fields(
        _TO, _TOPIC, "*text:String parse_mode:String entities:[MessageEntity]",
        "link_preview_options:LinkPreviewOptions", _END,
    ),
    "sendVoice": _fields(_TO, _TOPIC, "*voice:InputFile|String", _CAPTION, "duration:Integer", _END),
    "sendAudio": _fields(
        _TO, _TOPIC, "*audio:InputFile|String", _CAPTION, "duration:Integer performer:String title:String", _THUMB, _END
    ),
    "sendVideo": _fields(
        _TO, _TOPIC, "*video:InputFile|String duration:Integer width:Integer height:Integer", _THUMB,
        "cover:InputFile|String start_timestamp:Integer", _CAPTION, _ABOVE, "supports_streaming:Boolean", _END,
    ),
    "sendVideoNote": _fields(
        _TO, _TOPIC, "*video_note:InputFile|String duration:Integer length:Integer", _THUMB, _END
    ),
    "sendPhoto": _fields(_TO, _TOPIC, "*photo:InputFile|String", _CAPTION, _ABOVE, _END),
    "sendDocument": _fields(
        _TO, _TOPIC, "*document:InputFile|String", _THUMB, _CAPTION, "disable_content_type_detection:Boolean", _END
    ),
    "sendMediaGroup": _fields(_TO, _TOPIC, f"*media:{_ALBUM}", _HOW, "reply_parameters:ReplyParameters"),
    "sendChatAction": _fields(_TO, "*action:String"),
    "answerCallbackQuery": _fields(
        "*callback_query_id:String text:String show_alert:Boolean url:String cache_time:Integer"
    ),
    "editMessageText": _fields(
        _EDITED, "text:String parse_mode:String entities:[MessageEntity] link_preview_options:LinkPreviewOptions",
        "rich_message:InputRichMessage", _INLINE,
    ),
    "editMessageCaption": _fields(_EDITED, _CAPTION, "show_caption_above_media:Boolean", _INLINE),
    "editMessageReplyMarkup": _fields(_EDITED, _INLINE),
    "deleteMessage": _fields("*chat_id:Integer|String *message_id:Integer"),
    "setMessageReaction": _fields(
        "*chat_id:Integer|String *message_id:Integer reaction:[ReactionType] is_big:Boolean"
    ),
    "getFile": _fields("*file_id:String"),
    "getChat": _fields("*chat_id:Integer|String"),
}  # fmt: skip

_MEDIA = "*type:String *media:String"

TYPES: Final[dict[str, Fields]] = {
    "MessageEntity": _fields(
        "*type:String *offset:Integer *length:Integer url:String user:User language:String custom_emoji_id:String",
        "unix_time:Integer date_time_format:String",
    ),
    "ReplyParameters": _fields(
        "*message_id:Integer chat_id:Integer|String allow_sending_without_reply:Boolean quote:String",
        "quote_parse_mode:String quote_entities:[MessageEntity] quote_position:Integer checklist_task_id:Integer",
        "poll_option_id:String",
    ),
    "LinkPreviewOptions": _fields(
        "is_disabled:Boolean url:String prefer_small_media:Boolean prefer_large_media:Boolean show_above_text:Boolean"
    ),
    "InlineKeyboardMarkup": _fields("*inline_keyboard:[[InlineKeyboardButton]]"),
    "InlineKeyboardButton": _fields(
        "*text:String icon_custom_emoji_id:String style:String url:String callback_data:String web_app:WebAppInfo",
        "login_url:LoginUrl switch_inline_query:String switch_inline_query_current_chat:String",
        "switch_inline_query_chosen_chat:SwitchInlineQueryChosenChat copy_text:CopyTextButton",
        "callback_game:CallbackGame pay:Boolean",
    ),
    "ReplyKeyboardMarkup": _fields(
        "*keyboard:[[KeyboardButton]] is_persistent:Boolean resize_keyboard:Boolean one_time_keyboard:Boolean",
        "input_field_placeholder:String selective:Boolean",
    ),
    "KeyboardButton": _fields(
        "*text:String icon_custom_emoji_id:String style:String request_users:KeyboardButtonRequestUsers",
        "request_chat:KeyboardButtonRequestChat request_managed_bot:KeyboardButtonRequestManagedBot",
        "request_contact:Boolean request_location:Boolean request_poll:KeyboardButtonPollType web_app:WebAppInfo",
    ),
    "ReplyKeyboardRemove": _fields("*remove_keyboard:Boolean selective:Boolean"),
    "ForceReply": _fields("*force_reply:Boolean input_field_placeholder:String selective:Boolean"),
    "BotCommand": _fields("*command:String *description:String"),
    "BotCommandScopeDefault": _fields("*type:String"),
    "BotCommandScopeAllPrivateChats": _fields("*type:String"),
    "BotCommandScopeAllGroupChats": _fields("*type:String"),
    "BotCommandScopeAllChatAdministrators": _fields("*type:String"),
    "BotCommandScopeChat": _fields("*type:String *chat_id:Integer|String"),
    "BotCommandScopeChatAdministrators": _fields("*type:String *chat_id:Integer|String"),
    "BotCommandScopeChatMember": _fields("*type:String *chat_id:Integer|String *user_id:Integer"),
    "InputMediaPhoto": _fields(_MEDIA, _CAPTION, _ABOVE),
    "InputMediaLivePhoto": _fields(_MEDIA, "*photo:String", _CAPTION, _ABOVE),
    "InputMediaVideo": _fields(
        _MEDIA, "thumbnail:String cover:String start_timestamp:Integer", _CAPTION, _ABOVE,
        "width:Integer height:Integer duration:Integer supports_streaming:Boolean",
    ),
    "InputMediaAudio": _fields(
        _MEDIA, "thumbnail:String", _CAPTION, "duration:Integer performer:String title:String"
    ),
    "InputMediaDocument": _fields(_MEDIA, "thumbnail:String", _CAPTION, "disable_content_type_detection:Boolean"),
    "ReactionTypeEmoji": _fields("*type:String *emoji:String"),
    "ReactionTypeCustomEmoji": _fields("*type:String *custom_emoji_id:String"),
    "ReactionTypePaid": _fields("*type:String"),
}  # fmt: skip

UNIONS: Final[dict[str, dict[str, str]]] = {
    "BotCommandScope": {
        re.sub("([A-Z])", r"_\1", name).strip("_").lower(): f"BotCommandScope{name}"
        for name in (
            "Default", "AllPrivateChats", "AllGroupChats", "AllChatAdministrators", "Chat", "ChatAdministrators",
            "ChatMember",
        )
    },
    "ReactionType": {
        "emoji": "ReactionTypeEmoji", "custom_emoji": "ReactionTypeCustomEmoji", "paid": "ReactionTypePaid",
    },
}  # fmt: skip
"""Types that are one of several, told apart by their field `type`."""

OPAQUE: Final = frozenset({
    "User", "WebAppInfo", "LoginUrl", "SwitchInlineQueryChosenChat", "CopyTextButton", "CallbackGame",
    "KeyboardButtonRequestUsers", "KeyboardButtonRequestChat", "KeyboardButtonRequestManagedBot",
    "KeyboardButtonPollType", "SuggestedPostParameters", "InputRichMessage",
})  # fmt: skip

UPDATE_KINDS: Final = (
    "message", "edited_message", "channel_post", "edited_channel_post", "business_connection", "business_message",
    "edited_business_message", "deleted_business_messages", "guest_message", "message_reaction",
    "message_reaction_count", "inline_query", "chosen_inline_result", "callback_query", "shipping_query",
    "pre_checkout_query", "purchased_paid_media", "poll", "poll_answer", "my_chat_member", "chat_member",
    "chat_join_request", "chat_boost",
    "removed_chat_boost", "managed_bot",
)  # fmt: skip
NOT_BY_DEFAULT: Final = frozenset({"chat_member", "message_reaction", "message_reaction_count"})
"""Updates that come only when `allowed_updates` names them (setWebhook)."""
