"""The WhatsApp simulator driven by a real pywa client, as the bot drives Meta's."""

from __future__ import annotations

import argparse
import asyncio
import subprocess
import sys
from pathlib import Path
from typing import Any

import httpx
import pytest
from pywa import errors
from pywa.types import Button, Section, SectionList, SectionRow

from simulators.phone import NothingCame, PhoneRefused
from simulators.whatsapp.command import add_options, app_from
from simulators.whatsapp.config import DAY_S, Config, Limits
from tests.integration.simulators.whatsapp_side import bot_side, clip, jpeg, until, voice_note
from tests.recordings import record

OPUS = "audio/ogg; codecs=opus"


@pytest.mark.parametrize("address", ["phone", "+phone", "bsuid"])
async def test_each_kind_reaches_the_person_as_it_was_sent(tmp_path: Path, address: str) -> None:
    async with bot_side() as side:
        phone = await side.phone(phone="15557654321", bsuid="US.7654321")
        to = {"phone": "15557654321", "+phone": "+15557654321", "bsuid": "US.7654321"}[address]
        said = await phone.say("hello")
        note, film = voice_note(tmp_path), clip(tmp_path)
        await side.bot.send_message(to, "مرحبا", reply_to_message_id=said, tracker="41")
        await side.bot.send_voice(to, note, mime_type=OPUS, reply_to_message_id=said, tracker="42")
        await side.bot.send_video(to, film, mime_type="video/mp4", caption="look", tracker="43")
        await side.bot.send_image(to, jpeg(), caption="me")
        await side.bot.send_audio(to, record(tmp_path / "a.mp3").read_bytes(), mime_type="audio/mpeg")
        await side.bot.send_document(to, b"%PDF-1.4", filename="a.pdf", mime_type="application/pdf")
        text, voice, video, photo, audio, document = await phone.messages()
        assert [each.kind for each in (text, voice, video, photo, audio, document)] == [
            "text", "voice", "video", "photo", "audio", "document",
        ]  # fmt: skip
        assert (text.text, text.reply_to, text.tracker) == ("مرحبا", said, "41")
        assert (voice.reply_to, voice.tracker) == (said, "42")
        assert voice.seconds == pytest.approx(1.0, abs=0.1)
        assert (video.caption, video.width, video.height, video.bytes) == ("look", 64, 64, len(film))
        assert photo.caption == "me"
        assert await phone.download(voice) == note
        assert await phone.download(video) == film
        assert await side.refused() == []


async def test_menus_are_shown_and_pressed() -> None:
    async with bot_side() as side:
        phone = await side.phone()
        await phone.say("/avatar")
        rows = [SectionRow(title=f"Avatar {n}", callback_data=f"avatar:{n}", description="d") for n in range(10)]
        await side.bot.send_message(phone.chat, "Choose", buttons=SectionList("Avatars", [Section("All", rows)]))
        await side.bot.send_message(phone.chat, "Sure?", buttons=[Button("Yes", "yes"), Button("No", "no")], footer="f")
        listed, asked = await phone.messages()
        assert [each.title for each in listed.choices] == [f"Avatar {n}" for n in range(10)]
        assert asked.text == "Sure?\nf"
        await phone.press(listed, "Avatar 3")
        await phone.press(asked, "no")
        await until(lambda: len(side.webhooks.messages()) == 3)
        row, button = side.webhooks.messages()[1:]
        assert row["interactive"] == {
            "type": "list_reply",
            "list_reply": {"id": "avatar:3", "title": "Avatar 3", "description": "d"},
        }
        assert row["context"] == {"from": side.config.display_phone, "id": listed.id}
        assert button["interactive"]["button_reply"] == {"id": "no", "title": "No"}
        with pytest.raises(PhoneRefused):
            await phone.press(asked, "perhaps")


async def test_typing_marks_as_read_and_ends_with_the_reply_or_by_itself() -> None:
    async with bot_side() as side:
        phone = await side.phone()
        said = await phone.say("hello")
        await side.bot.indicate_typing(said)
        await side.bot.send_message(phone.chat, "there")
        await side.bot.indicate_typing(said)
        await side.skip(26)
        await side.bot.send_message(phone.chat, "again")
        await side.bot.mark_message_as_read(said)
        done = [each["action"] for each in await phone.actions()]
        assert done == ["read", "typing", "typing_ended", "read", "typing", "read"]
        with pytest.raises(errors.InvalidParameter):
            await side.bot.indicate_typing("wamid.unknown")


async def test_reactions_reach_the_person() -> None:
    async with bot_side() as side:
        phone = await side.phone()
        said = await phone.say("hello")
        await side.bot.send_reaction(phone.chat, "👍", said)
        assert [(each["action"], each["text"]) for each in await phone.actions()] == [("reaction", "👍")]


async def test_a_file_is_fetched_in_two_hops_while_its_link_lives(tmp_path: Path) -> None:
    async with bot_side() as side:
        phone, note = await side.phone(), voice_note(tmp_path)
        await phone.say_voice(note)
        audio = (await until(side.webhooks.messages))[0]["audio"]
        assert (audio["mime_type"], audio["voice"]) == (OPUS, True)
        found = await side.bot.get_media_url(audio["id"])
        assert (found.file_size, found.mime_type) == (len(note), OPUS)
        assert await side.bot.get_media_bytes(found.url) == note
        async with httpx.AsyncClient() as anybody:
            assert (await anybody.get(found.url)).status_code == 401
        await side.skip(301)
        with pytest.raises(httpx.HTTPStatusError):
            await side.bot.get_media_bytes(found.url)
        again = await side.bot.get_media_url(audio["id"])
        assert await side.bot.get_media_bytes(again.url) == note
        await side.skip(7 * DAY_S)
        with pytest.raises(errors.WhatsAppError) as gone:
            await side.bot.get_media_url(audio["id"])
        assert (gone.value.code, gone.value.subcode) == (100, 33)


async def test_uploads_are_described_deleted_and_refused() -> None:
    async with bot_side() as side:
        media = await side.bot.upload_media(jpeg(), mime_type="image/jpeg", filename="a.jpg")
        assert (await side.bot.get_media_url(media.id)).mime_type == "image/jpeg"
        await side.bot.delete_media(media.id, phone_id=None)
        with pytest.raises(errors.WhatsAppError, match="does not exist"):
            await side.bot.get_media_url(media.id)
        with pytest.raises(errors.WhatsAppError, match="Param file must be a file with one of"):
            await side.bot.upload_media(b"x", mime_type="audio/wav", filename="a.wav")
        url = f"/v23.0/{side.config.phone_id}/media"
        head = {"Authorization": f"Bearer {side.config.token}"}
        parts: dict[str, Any] = {
            "file": ("a.jpg", jpeg(), "image/jpeg"),
            "messaging_product": (None, "whatsapp"),
            "type": (None, "image/jpeg"),
        }
        for left_out in parts:
            answer = await side.control.post(
                url, headers=head, files={key: value for key, value in parts.items() if key != left_out}
            )
            assert (answer.status_code, answer.json()["error"]["code"]) == (400, 100)
            assert left_out in answer.json()["error"]["message"]


@pytest.mark.parametrize("reads", [True, False])
async def test_statuses_follow_with_the_tracker(reads: bool) -> None:
    async with bot_side(reads=reads) as side:
        phone = await side.phone()
        await phone.say("hello")
        sent = await side.bot.send_message(phone.chat, "there", tracker="outbox:7")
        last = await side.webhooks.wait_for_status(sent.id, "read" if reads else "delivered")
        assert [each["status"] for each in side.webhooks.statuses(sent.id)] == ["sent", "delivered", "read"][
            : 2 + reads
        ]
        assert last["biz_opaque_callback_data"] == "outbox:7"
        assert last["recipient_id"] == phone.chat


async def test_outside_the_window_a_message_fails_later() -> None:
    async with bot_side(templates=frozenset({"hello"})) as side:
        phone = await side.phone()
        unasked = await side.bot.send_message(phone.chat, "first", tracker="1")
        await phone.say("hello")
        await side.bot.send_message(phone.chat, "second")
        await side.skip(DAY_S + 1)
        late = await side.bot.send_message(phone.chat, "third", tracker="3")
        for sent in (unasked, late):
            failed = await side.webhooks.wait_for_status(sent.id, "failed")
            assert [each["code"] for each in failed["errors"]] == [131047]
        assert [each.text for each in await phone.messages()] == ["second"]


async def test_who_is_not_there_or_has_blocked_the_business_gets_nothing() -> None:
    async with bot_side() as side:
        phone = await side.phone()
        await phone.say("hello")
        await phone.block()
        assert await phone.tell("text", text="you can't hear me") == {"message_id": None, "event_id": None}
        for to in (phone.chat, "15550001111", "US.999999"):
            sent = await side.bot.send_message(to, "anybody?", tracker="9")
            failed = await side.webhooks.wait_for_status(sent.id, "failed")
            assert (failed["errors"][0]["code"], failed["biz_opaque_callback_data"]) == (131026, "9")
        await phone.unblock()
        await side.bot.send_message(phone.chat, "back")
        assert [each.text for each in await phone.messages()] == ["back"]


@pytest.mark.parametrize("case", ["mp3 as voice", "video of another codec", "video as image", "gone"])
async def test_a_file_that_does_not_fit_fails_later(tmp_path: Path, case: str) -> None:
    async with bot_side() as side:
        phone = await side.phone()
        await phone.say("hello")
        if case == "mp3 as voice":
            sent = await side.bot.send_voice(
                phone.chat, record(tmp_path / "a.mp3").read_bytes(), mime_type="audio/mpeg"
            )
        elif case == "video of another codec":
            sent = await side.bot.send_video(phone.chat, clip(tmp_path, video="mpeg4"), mime_type="video/mp4")
        elif case == "video as image":
            media = await side.bot.upload_media(clip(tmp_path), mime_type="video/mp4", filename="a.mp4")
            sent = await side.bot.send_image(phone.chat, media)
        else:
            sent = await side.bot.send_voice(phone.chat, "1234567890")
        failed = await side.webhooks.wait_for_status(sent.id, "failed")
        assert failed["errors"][0]["code"] == 131053
        assert [each["method"] for each in await side.refused()] == ["messages"]
        assert await phone.messages() == []


async def test_throughput_and_pair_limits_refuse_for_a_while() -> None:
    async with bot_side(limits=Limits(throughput_per_s=3, pair_gap_s=1.0, pair_burst=2)) as side:
        sara, others = await side.phone("Sara"), [await side.phone(f"Omar {number}") for number in range(8)]
        await side.bot.send_message(sara.chat, "1")
        await side.bot.send_message(sara.chat, "2")
        with pytest.raises(errors.TooManyMessages) as pair:
            await side.bot.send_message(sara.chat, "3")
        assert pair.value.status_code == 429
        sends = [side.bot.send_message(other.chat, "1") for other in others]
        ended = await asyncio.gather(*sends, return_exceptions=True)
        refused = [error.status_code for error in ended if isinstance(error, errors.RateLimitHit)]
        assert set(refused) == {429}
        assert len(refused) < len(ended)
        await asyncio.sleep(2.5)
        await side.bot.send_message(sara.chat, "3")
        assert await side.refused() == []


@pytest.mark.parametrize(
    ("effect", "code", "status"),
    [
        ("429", 130429, 429),
        ("pair_limit", 131056, 429),
        ("500", 131000, 500),
        ("502", 502, 502),
        ("503", 131016, 500),
        ("131047_sync", 131047, 400),
        ("closed_window_sync", 131047, 400),
        ("190", 190, 401),
        ("131031", 131031, 403),
    ],
)
async def test_faults_refuse_as_often_as_asked(effect: str, code: int, status: int) -> None:
    async with bot_side() as side:
        phone = await side.phone()
        await phone.say("hello")
        await side.fault("messages", effect, times=2)
        for _ in range(2):
            with pytest.raises(errors.WhatsAppError) as refused:
                await side.bot.send_message(phone.chat, "there")
            assert (refused.value.code, refused.value.status_code) == (code, status)
        await side.bot.send_message(phone.chat, "there")
        assert len(await phone.messages()) == 1
        assert await side.refused() == []


@pytest.mark.parametrize(
    ("effect", "code"),
    [("closed_window", 131047), ("undeliverable", 131026), ("media_failed", 131053), ("131000_status", 131000)],
)
async def test_faults_are_told_by_status(effect: str, code: int) -> None:
    async with bot_side() as side:
        phone = await side.phone()
        await phone.say("hello")
        await side.fault("messages", effect)
        sent = await side.bot.send_message(phone.chat, "there", tracker="5")
        failed = await side.webhooks.wait_for_status(sent.id, "failed")
        assert (failed["errors"][0]["code"], failed["biz_opaque_callback_data"]) == (code, "5")
        assert await phone.messages() == []
        assert await side.refused() == []


@pytest.mark.parametrize(
    ("effect", "error", "arrives"),
    [
        ("timeout_after", httpx.ReadTimeout, True),
        ("reset_after", httpx.RemoteProtocolError | httpx.ReadError, True),
        ("timeout_before", httpx.ReadTimeout, False),
        ("reset", httpx.RemoteProtocolError | httpx.ReadError, False),
    ],
)
async def test_silence_leaves_open_whether_it_was_sent_until_the_status(
    effect: str, error: type[Exception], arrives: bool
) -> None:
    async with bot_side() as side:
        phone = await side.phone()
        await phone.say("hello")
        side.session.timeout = httpx.Timeout(0.5)
        await side.fault("messages", effect, chat=phone.chat)
        with pytest.raises(httpx.HTTPError) as lost:
            await side.bot.send_message(phone.chat, "there", tracker="outbox:8")
        assert isinstance(lost.value, error)
        if arrives:
            await until(lambda: [each for each in side.webhooks.statuses() if each["status"] == "read"])
            assert {each["biz_opaque_callback_data"] for each in side.webhooks.statuses()} == {"outbox:8"}
        assert len(await phone.messages()) == int(arrives)


async def test_a_fault_may_bite_one_kind_or_one_person_alone() -> None:
    async with bot_side() as side:
        sara, omar = await side.phone("Sara"), await side.phone("Omar")
        said = await sara.say("hello")
        await side.fault("messages.image", "500")
        await side.fault("messages", "429", chat=omar.chat)
        await side.fault("media_url", "expired_media")
        await side.bot.indicate_typing(said)
        await side.bot.send_message(sara.chat, "text")
        with pytest.raises(errors.UnknownError):
            await side.bot.send_image(sara.chat, jpeg(), mime_type="image/jpeg")
        with pytest.raises(errors.RateLimitHit):
            await side.bot.send_message(omar.chat, "text")
        media = await side.bot.upload_media(jpeg(), mime_type="image/jpeg", filename="a.jpg")
        with pytest.raises(errors.WhatsAppError, match="does not exist"):
            await side.bot.get_media_url(media.id)
        assert (await side.bot.get_media_url(media.id)).id == media.id
        await side.fault("download", "500")
        assert (await side.control.delete("/control/faults")).status_code == 200
        assert (await side.control.get("/control/faults")).json() == {"faults": []}


@pytest.mark.parametrize(
    ("path", "head", "status", "code"),
    [
        ("/v23.0/{phone}/messages", {}, 401, 190),
        ("/v23.0/{phone}/messages", {"Authorization": "Bearer wrong"}, 401, 190),
        ("/v23.0/{phone}/messages", {"Authorization": "Basic {token}"}, 401, 190),
        ("/v23.0/1234/messages", {"Authorization": "Bearer {token}"}, 400, 100),
        ("/23/{phone}/messages", {"Authorization": "Bearer {token}"}, 400, 2500),
        ("/v23.0/{phone}/messages", {"Authorization": "Bearer {token}"}, 400, 100),
        ("/v23.0/{phone}/nothing/here", {"Authorization": "Bearer {token}"}, 400, 2500),
    ],
)
async def test_requests_without_right_or_sense_get_graphs_error(
    path: str, head: dict[str, str], status: int, code: int
) -> None:
    async with bot_side() as side:
        words = {"phone": side.config.phone_id, "token": side.config.token}
        headers = {key: value.format(**words) for key, value in head.items()}
        answer = await side.control.post(path.format(**words), headers=headers, content=b"{broken")
        error = answer.json()["error"]
        assert (answer.status_code, error["code"]) == (status, code)
        assert {"message", "type", "fbtrace_id"} <= set(error)
        assert len(await side.refused()) == 1


async def test_a_reply_to_a_message_of_somebody_else_is_refused() -> None:
    async with bot_side() as side:
        sara, omar = await side.phone("Sara"), await side.phone("Omar")
        said = await sara.say("hello")
        with pytest.raises(errors.InvalidParameter):
            await side.bot.send_message(omar.chat, "there", reply_to_message_id=said)
        assert [each["chat"] for each in await side.refused()] == [omar.chat]


async def test_the_number_the_apps_token_and_the_subscription() -> None:
    async with bot_side(webhook_url=None) as side:
        number = await side.bot.get_business_phone_number()
        assert (number.id, number.verified_name) == (side.config.phone_id, "SmartTalker")
        app = int(side.config.app_id)
        with pytest.raises(errors.WhatsAppError, match="validating client secret"):
            await side.bot.get_app_access_token(app, "wrong")
        token = await side.bot.get_app_access_token(app, side.config.app_secret)
        where = {"callback_url": side.webhooks.url, "fields": ["messages"]}
        with pytest.raises(errors.WhatsAppError, match="Callback verification failed"):
            await side.bot.set_app_callback_url(app, token, verify_token="wrong", **where)
        phone = await side.phone()
        await phone.say("nobody listens")
        assert (await side.bot.set_app_callback_url(app, token, verify_token=side.config.verify_token, **where)).success
        await phone.say("somebody listens")
        await until(side.webhooks.messages)
        assert [each["text"]["body"] for each in side.webhooks.messages()] == ["somebody listens"]
        wrong = await side.control.post("/control/subscribe", json={"url": side.webhooks.url, "verify_token": "x"})
        assert wrong.status_code == 422
        right = await side.control.post("/control/subscribe", json={"url": side.webhooks.url})
        assert right.status_code == 200


@pytest.mark.parametrize("left_out", ["object", "callback_url", "verify_token", "fields", "access_token"])
async def test_a_subscription_lacks_nothing(left_out: str) -> None:
    async with bot_side(webhook_url=None) as side:
        token = await side.bot.get_app_access_token(int(side.config.app_id), side.config.app_secret)
        given = {
            "object": "whatsapp_business_account",
            "callback_url": side.webhooks.url,
            "verify_token": side.config.verify_token,
            "fields": "messages",
            "access_token": token,
        }
        url = f"/v23.0/{side.config.app_id}/subscriptions"
        lacking = {key: value for key, value in given.items() if key != left_out}
        refused = await side.control.post(url, params=lacking)
        assert refused.json()["error"]["code"] == (190 if left_out == "access_token" else 100)
        assert (await side.control.post(url, params=given)).json() == {"success": True}


@pytest.mark.parametrize("left_out", ["grant_type", "client_id", "client_secret"])
async def test_an_apps_token_needs_all_three(left_out: str) -> None:
    async with bot_side() as side:
        given = {
            "grant_type": "client_credentials",
            "client_id": side.config.app_id,
            "client_secret": side.config.app_secret,
        }
        lacking = {key: value for key, value in given.items() if key != left_out}
        refused = await side.control.get("/v23.0/oauth/access_token", params=lacking)
        assert refused.status_code == 400
        assert (await side.control.get("/v23.0/oauth/access_token", params=given)).json()["token_type"] == "bearer"


async def test_webhooks_of_a_number_or_an_account_may_go_elsewhere() -> None:
    async with bot_side(webhook_url=None) as side:
        phone, token = await side.phone(), side.config.verify_token
        await side.bot.override_phone_callback_url(side.webhooks.url, token)
        await phone.say("to the number's")
        await until(side.webhooks.messages)
        await side.bot.delete_phone_callback_url()
        await phone.say("to nobody")
        await side.bot.override_waba_callback_url(side.webhooks.url, token, waba_id=side.config.waba_id)
        await phone.say("to the account's")
        await until(lambda: len(side.webhooks.messages()) == 2)
        assert [each["text"]["body"] for each in side.webhooks.messages()] == ["to the number's", "to the account's"]
        with pytest.raises(errors.WhatsAppError, match="does not exist"):
            await side.bot.override_waba_callback_url(side.webhooks.url, token, waba_id="1")


async def test_what_nobody_can_do_is_refused() -> None:
    async with bot_side() as side:
        phone = await side.phone()
        for fields in ({"kind": "hologram"}, {"kind": "text"}, {"kind": "voice"}, {"kind": "edited_text", "text": "x"}):
            with pytest.raises(PhoneRefused):
                await phone.tell(**fields)
        with pytest.raises(PhoneRefused):
            await phone.say("x", reply_to="wamid.unknown")
        with pytest.raises(NothingCame):
            await phone.wait_for("text", within_s=0.2)
        assert (await side.control.post("/control/groups", json={"title": "g"})).status_code >= 400


def test_each_setting_is_an_option_of_the_command() -> None:
    parser = argparse.ArgumentParser()
    add_options(parser)
    options = parser.parse_args(["--token", "t", "--pair-gap-s", "0.5", "--pair-burst", "3", "--unread"])
    config: Config = app_from(options).state.platform.config
    assert (config.token, config.reads, config.limits.pair_gap_s, config.limits.pair_burst) == ("t", False, 0.5, 3)


def test_it_runs_as_a_process_that_says_when_it_is_ready() -> None:
    command = [sys.executable, "-m", "simulators", "whatsapp", "--token", "t", "--phone-id", "77"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=Path(__file__).parents[3]) as process:
        assert process.stdout is not None
        try:
            url = process.stdout.readline().removeprefix("ready ").strip()
            number = httpx.get(f"{url}/v23.0/77", headers={"Authorization": "Bearer t"}, trust_env=False)
            assert number.json()["id"] == "77"
        finally:
            process.terminate()
    assert process.returncode in (0, -15)
