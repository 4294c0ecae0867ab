"""One right request of each method is taken; each with a required field missing or of a wrong type is refused."""

from __future__ import annotations

import copy
import json
import math
from collections.abc import Iterator
from typing import Any, Final

import httpx
import pytest

from simulators.serving import served
from simulators.telegram import Rates, TelegramConfig, create_app
from simulators.telegram.schema import METHODS, TYPES, UNIONS
from tests.integration.simulators.telegram_samples import picture, video, voice
from tests.integration.simulators.telegram_spec import SPEC, faults_in, fields_of, needs_spec, wrong_values

pytestmark = needs_spec

Json = dict[str, Any]

CONFIG: Final = TelegramConfig(rates=Rates(math.inf, math.inf, group_per_min=math.inf))
KEYS: Final = {"inline_keyboard": [[{"text": "Lina", "callback_data": "avatar:lina"}]]}
FILES: Final = {
    "sendVoice": {"voice": voice()},
    "sendAudio": {"audio": voice(kind="mp3")},
    "sendVideo": {"video": video(), "thumbnail": picture()},
    "sendVideoNote": {"video_note": video(), "thumbnail": picture()},
    "sendPhoto": {"photo": picture()},
    "sendDocument": {"document": b"a,b\n1,2\n", "thumbnail": picture()},
    "sendMediaGroup": {"one": picture(), "two": picture(300, 200)},
}


class Server:
    """The simulator, and a person who wrote to the bot."""

    def __init__(self, url: str) -> None:
        self.http = httpx.Client(base_url=url, trust_env=False)
        self.chat = self.http.post("/control/people", json={"name": "Mona"}).json()["chat"]
        self.said = self.said_id("/start")

    def said_id(self, text: str) -> int:
        return int(self.http.post("/control/say", json={"chat": self.chat, "text": text}).json()["message_id"])

    def bot(self, method: str, args: Json, files: dict[str, bytes] | None = None) -> httpx.Response:
        """As python-telegram-bot does: forms with texts and JSON; files beside them."""
        path = f"/bot{CONFIG.token}/{method}"
        texts = {name: value if isinstance(value, str) else json.dumps(value) for name, value in args.items()}
        parts = {name: (name, data, "application/octet-stream") for name, data in (files or {}).items()}
        return self.http.post(path, data=texts, files=parts or None)

    def bot_json(self, method: str, args: Json) -> httpx.Response:
        return self.http.post(f"/bot{CONFIG.token}/{method}", json=args)

    def sent(self, **more: Any) -> int:
        answer = self.bot("sendMessage", {"chat_id": self.chat, "text": "…", **more}).json()
        return int(answer["result"]["message_id"])

    def right(self, method: str) -> Json:
        """Arguments that the method takes, beside its files; optional objects among them."""
        chat = {"chat_id": int(self.chat)}
        reply = {"reply_parameters": {"message_id": self.said}}
        if method in FILES and method != "sendMediaGroup":
            return chat | reply | {"reply_markup": KEYS}
        made: dict[str, Any] = {
            "sendMessage": lambda: chat | reply | {
                "text": "اسمي لينا", "reply_markup": KEYS, "entities": [{"type": "bold", "offset": 0, "length": 4}],
                "link_preview_options": {"is_disabled": True},
            },
            "sendMediaGroup": lambda: chat | reply | {
                "media": [{"type": "photo", "media": "attach://one"}, {"type": "photo", "media": "attach://two"}],
            },
            "sendChatAction": lambda: chat | {"action": "record_video_note"},
            "setWebhook": lambda: {"url": "http://127.0.0.1:9/hook", "secret_token": "s-1", "allowed_updates": []},
            "setMyCommands": lambda: {
                "commands": [{"command": "start", "description": "Begin"}], "scope": {"type": "default"},
            },
            "answerCallbackQuery": lambda: {"callback_query_id": self.pressed()},
            "editMessageText": lambda: chat | {"message_id": self.sent(), "text": "done", "reply_markup": KEYS},
            "editMessageCaption": lambda: chat | {"message_id": self.photo()["message_id"], "caption": "Lina"},
            "editMessageReplyMarkup": lambda: chat | {"message_id": self.sent(), "reply_markup": KEYS},
            "deleteMessage": lambda: chat | {"message_id": self.sent()},
            "setMessageReaction": lambda: chat | {
                "message_id": self.said, "reaction": [{"type": "emoji", "emoji": "👍"}],
            },
            "getFile": lambda: {"file_id": self.photo()["photo"][0]["file_id"]},
            "getChat": lambda: chat,
        }  # fmt: skip
        return made.get(method, dict)()

    def photo(self) -> Json:
        sent: Json = self.bot("sendPhoto", {"chat_id": self.chat}, {"photo": picture()}).json()["result"]
        return sent

    def pressed(self) -> str:
        press = {"chat": self.chat, "message_id": self.sent(reply_markup=KEYS), "choice": "avatar:lina"}
        assert self.http.post("/control/press", json=press).status_code == 200
        updates = self.http.get("/control/updates").json()["updates"]
        return str(updates[-1]["callback_query"]["id"])

    def known_files(self, method: str) -> Json:
        """The method's file by its id, as JSON needs it."""
        if method not in FILES or method == "sendMediaGroup":
            return {}
        name = next(iter(FILES[method]))
        sent = self.take(method)["result"][name]
        return {name: sent[-1]["file_id"] if isinstance(sent, list) else sent["file_id"]}

    def take(self, method: str) -> Json:
        """A right request's answer."""
        return dict(self.bot(method, self.right(method), FILES.get(method)).json())


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with served(create_app(CONFIG)) as url:
        started = Server(url)
        yield started
        started.bot("deleteWebhook", {})
        started.http.close()


@pytest.fixture(autouse=True)
def no_webhook(server: Server) -> None:
    server.bot("deleteWebhook", {})


def refused(answer: httpx.Response) -> bool:
    body = answer.json()
    right = answer.status_code == 400 and body["ok"] is False and body["error_code"] == 400
    return right and str(body["description"]).startswith("Bad Request: ")


@pytest.mark.parametrize("method", METHODS)
def test_a_right_request_is_taken_and_its_answer_is_what_the_schema_says(server: Server, method: str) -> None:
    answer = server.take(method)
    assert answer["ok"], answer
    assert SPEC is not None
    tried = [faults_in(each, answer["result"], method) for each in SPEC["methods"][method]["returns"]]
    assert min(tried, key=len) == []


@pytest.mark.parametrize("method", METHODS)
def test_a_request_without_a_required_field_is_refused(server: Server, method: str) -> None:
    right, files = server.right(method), FILES.get(method, {})
    required = [name for name, (_, required) in fields_of("methods", method).items() if required]
    for name in required:
        args = {key: value for key, value in right.items() if key != name}
        sent = {key: data for key, data in files.items() if key != name}
        assert refused(server.bot(method, args, sent)), name
        assert refused(server.bot(method, {**args, name: ""}, sent)), f"{name} empty"


@pytest.mark.parametrize("method", METHODS)
def test_a_request_with_a_field_of_a_wrong_type_is_refused(server: Server, method: str) -> None:
    right, files = server.right(method), FILES.get(method, {})
    known = server.known_files(method)
    if method != "sendMediaGroup":
        assert server.bot_json(method, {**right, **known}).json()["ok"]
        right = server.right(method) if not files else right
    for name, (types, _) in fields_of("methods", method).items():
        for value in wrong_values(types):
            assert refused(server.bot_json(method, {**right, **known, name: value})), (name, value)
            if "String" not in types:
                sent = {key: data for key, data in files.items() if key != name}
                assert refused(server.bot(method, {**right, name: value}, sent)), (name, value, "form")


@pytest.mark.parametrize("method", METHODS)
def test_a_request_with_a_field_that_does_not_exist_is_refused(server: Server, method: str) -> None:
    assert refused(server.bot(method, {**server.right(method), "captoin": "x"}, FILES.get(method)))


CARRIERS: Final[dict[str, tuple[str, Any]]] = {
    "MessageEntity": ("entities", [{"type": "bold", "offset": 0, "length": 1}]),
    "ReplyParameters": ("reply_parameters", {"message_id": 1}),
    "LinkPreviewOptions": ("link_preview_options", {"is_disabled": True}),
    "InlineKeyboardMarkup": ("reply_markup", KEYS),
    "InlineKeyboardButton": ("reply_markup", KEYS),
    "ReplyKeyboardMarkup": ("reply_markup", {"keyboard": [[{"text": "a"}]]}),
    "KeyboardButton": ("reply_markup", {"keyboard": [[{"text": "a"}]]}),
    "ReplyKeyboardRemove": ("reply_markup", {"remove_keyboard": True}),
    "ForceReply": ("reply_markup", {"force_reply": True}),
}
"""Objects that sendMessage takes: the argument, and a right value of it."""


TYPED: Final[dict[str, Json]] = {
    "BotCommand": {"command": "start", "description": "Begin"},
    "ReactionTypeEmoji": {"type": "emoji", "emoji": "👍"},
    "ReactionTypeCustomEmoji": {"type": "custom_emoji", "custom_emoji_id": "5"},
    "ReactionTypePaid": {"type": "paid"},
    "BotCommandScopeChat": {"type": "chat", "chat_id": 5},
    "BotCommandScopeChatAdministrators": {"type": "chat_administrators", "chat_id": 5},
    "BotCommandScopeChatMember": {"type": "chat_member", "chat_id": 5, "user_id": 6},
}
"""Right values of types that hold more than their `type`."""


def inner(name: str, value: Any) -> Json:
    """The object of the type inside an argument's value."""
    if name in ("InlineKeyboardButton", "KeyboardButton"):
        value = next(iter(value.values()))[0]
    found: Json = value[0] if isinstance(value, list) else value
    return found


@pytest.mark.parametrize("name", CARRIERS)
def test_objects_are_checked_to_their_last_field(server: Server, name: str) -> None:
    argument, right = CARRIERS[name]
    args = {"chat_id": server.chat, "text": "hello"}
    assert server.bot("sendMessage", {**args, argument: right}).json()["ok"]
    for key, (types, required) in fields_of("types", name).items():
        if required:
            value = copy.deepcopy(right)
            del inner(name, value)[key]
            assert refused(server.bot("sendMessage", {**args, argument: value})), key
        for wrong in wrong_values(types):
            value = copy.deepcopy(right)
            inner(name, value)[key] = wrong
            assert refused(server.bot("sendMessage", {**args, argument: value})), (key, wrong)
    value = copy.deepcopy(right)
    inner(name, value)["surprise"] = 1
    assert refused(server.bot("sendMessage", {**args, argument: value}))


@pytest.mark.parametrize("name", [each for each in TYPES if each.startswith("InputMedia") and "Live" not in each])
def test_media_of_an_album_are_checked_to_their_last_field(server: Server, name: str) -> None:
    kind = name.removeprefix("InputMedia").lower()
    data = {"photo": picture(), "video": video(), "audio": voice(kind="mp3"), "document": b"1,2\n"}[kind]
    right = {"type": kind, "media": "attach://one"}

    def answer(item: Json) -> httpx.Response:
        files = {"one": data, "two": data}
        return server.bot(
            "sendMediaGroup", {"chat_id": server.chat, "media": [item, {**right, "media": "attach://two"}]}, files
        )

    assert answer(right).json()["ok"]
    for key, (types, required) in fields_of("types", name).items():
        if required:
            assert refused(answer({k: v for k, v in right.items() if k != key})), key
        for wrong in wrong_values(types):
            assert refused(answer({**right, key: wrong})), (key, wrong)


@pytest.mark.parametrize("name", [each for each in TYPES if each.startswith(("BotCommand", "ReactionType"))])
def test_commands_scopes_and_reactions_are_checked_to_their_last_field(server: Server, name: str) -> None:
    right = TYPED.get(name) or {"type": next(k for k, v in UNIONS["BotCommandScope"].items() if v == name)}

    def answer(value: Json) -> httpx.Response:
        if name.startswith("ReactionType"):
            args = {"chat_id": server.chat, "message_id": server.said, "reaction": [value]}
            return server.bot("setMessageReaction", args)
        if name == "BotCommand":
            return server.bot("setMyCommands", {"commands": [value]})
        return server.bot("getMyCommands", {"scope": value})

    takes = name not in ("ReactionTypeCustomEmoji", "ReactionTypePaid")
    assert answer(right).json()["ok"] is takes
    for key, (types, required) in fields_of("types", name).items():
        if required:
            assert refused(answer({k: v for k, v in right.items() if k != key})), key
        for wrong in wrong_values(types):
            assert refused(answer({**right, key: wrong})), (key, wrong)


def test_chats_are_numbers_written_either_way(server: Server) -> None:
    for chat in (int(server.chat), server.chat):
        assert server.bot_json("sendMessage", {"chat_id": chat, "text": "x"}).json()["ok"]
    for chat in ("@mona", "5x", "", "٥"):
        assert refused(server.bot_json("sendMessage", {"chat_id": chat, "text": "x"}))


def test_a_body_that_is_not_what_it_says_is_refused(server: Server) -> None:
    path = f"/bot{CONFIG.token}/sendMessage"
    for kind, body in (
        ("application/json", b"{"), ("application/json", b"[]"), ("text/plain", b"x"), ("multipart/form-data", b"x"),
        ("multipart/form-data; boundary=a", b"--b"), ("application/json", b"[" * 100_000),
    ):  # fmt: skip
        assert refused(server.http.post(path, content=body, headers={"Content-Type": kind})), (kind, body[:9])


def test_a_file_that_nothing_names_is_refused(server: Server) -> None:
    right = {"chat_id": server.chat}
    assert refused(server.bot("sendPhoto", right, {"photo": picture(), "thumb": picture()}))
    assert refused(server.bot("sendPhoto", {**right, "photo": "attach://missing"}))


def test_what_was_refused_as_invalid_is_listed(server: Server) -> None:
    server.bot("sendMessage", {"chat_id": server.chat})
    listed = server.http.get("/control/refused").json()["refused"][-1]
    assert (listed["method"], listed["status"], listed["chat"]) == ("sendMessage", 400, server.chat)
    assert listed["why"] == "Bad Request: message text is empty"
