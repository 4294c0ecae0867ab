"""The page in a real browser, on the real three processes: a person writes, speaks, waits, changes their mind."""

from __future__ import annotations

import asyncio
import base64
import json
import re
import shutil
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import pytest
from playwright.async_api import Browser, Locator, Route, TimeoutError, expect

from core.settings import PROFILES
from tests.browser import DESKTOP, SMALL, WITHIN_MS, Visitor, visitor
from tests.e2e.conftest import QUESTION, Site, Visit
from tests.helpers import rows
from tests.recordings import record
from tests.web import keyed, served

SIGHTS = [(language, theme) for language in ("ar", "en") for theme in ("light", "dark")]
WRONG_WORDS = Path(__file__).with_name("words.js").read_text()
AI = {"ar": "ذكاء اصطناعي", "en": "AI"}
FOREIGN = {"ar": "[A-Za-z]{3}", "en": "\\p{Script=Arabic}"}
"""Letters of the other language."""
LIGHTNESS = """() => {
  const [red, green, blue] = getComputedStyle(document.body).backgroundColor.match(/\\d+/g).map(Number);
  return (red + green + blue) / 765;
}"""
"""Of the page's ground, 0 … 1."""
MESSAGES = "**/api/v1/messages"
OUTBOX = "() => Object.keys(localStorage).filter((name) => name.startsWith('smarttalker.outbox.'))"
PLANT = """(kept) => {
  for (const [name, value] of Object.entries(kept)) localStorage.setItem(`smarttalker.${name}`, value);
}"""
SEND_AT_ONCE = """() => {
  const form = document.querySelector("#composer");
  const press = () => form.dataset.mode === "record" && document.querySelector("#send").click();
  new MutationObserver(press).observe(form, { attributeFilter: ["data-mode"] });
}"""
"""Whatever is recorded is sent before anything can be heard."""
CARRY = """(encoded) => {
  const bytes = Uint8Array.from(atob(encoded), (letter) => letter.charCodeAt(0));
  const carried = new DataTransfer();
  carried.items.add(new File([bytes], "note.ogg", { type: "audio/ogg" }));
  return carried;
}"""
"""What a pointer carries that drags a recording."""


async def plays(video: Locator, *, pressed: bool = False) -> None:
    """Returns when the film has been seen to move, by itself or when its key is pressed."""
    await expect(video).to_be_visible(timeout=60_000)
    page = video.page
    if pressed:
        await video.press("Space")
    element = await video.element_handle()
    await page.wait_for_function(
        "(film) => film.readyState >= 2 && film.videoWidth > 0", arg=element, timeout=WITHIN_MS
    )
    assert await video.evaluate("(film) => film.duration") > 0
    begun = await video.evaluate("(film) => film.currentTime")
    await page.wait_for_function(
        "([film, begun]) => film.ended || film.currentTime > begun", arg=[element, begun], timeout=WITHIN_MS
    )


async def turns_of(site: Site, said: str) -> list[dict[str, Any]]:
    statement = "SELECT t.* FROM turns t JOIN messages m ON m.turn_id = t.id WHERE m.role = 'user' AND m.text = :said"
    return await rows(site.stack.database, statement, said=said)


async def test_a_text_is_answered_by_text_then_voice_then_a_video_that_plays(someone: Visitor) -> None:
    await someone.page.emulate_media(reduced_motion="no-preference")
    turn = await someone.say(f"where are you? #sleep 1 tts. {'It is a long way. ' * 20}")
    await expect(turn.locator(".text")).to_contain_text("You asked: where are you?", timeout=WITHIN_MS)
    await expect(turn.locator("audio[src]")).to_have_count(0)
    await expect(turn.locator("audio[src]")).to_have_count(1, timeout=WITHIN_MS)
    await plays(turn.locator("video.video"))
    await someone.reaches(turn, "done")
    await expect(turn.locator(".work")).to_be_hidden()
    await expect(turn.locator(".said")).to_contain_text("where are you?")


async def test_a_recording_is_sent_and_answered(someone: Visitor, site: Site) -> None:
    await someone["#record"].click()
    await expect(someone["#recording"]).to_be_visible(timeout=WITHIN_MS)
    await expect(someone["#elapsed"]).to_have_text("0:01", timeout=WITHIN_MS)
    await someone["#send"].click()
    await expect(someone["#recording"]).to_be_hidden()
    turn = someone.turn()
    await expect(turn.locator(".text")).to_contain_text("You asked:", timeout=WITHIN_MS)
    # The answer's first words may be shown before the table holds what was heard.
    await someone.reaches(turn, "done")
    heard = (await turn.locator(".said").inner_text()).strip()
    assert heard
    assert heard in await turn.locator(".text").inner_text()


async def test_a_discarded_recording_is_not_sent(someone: Visitor) -> None:
    await someone["#record"].click()
    await expect(someone["#elapsed"]).to_have_text("0:01", timeout=WITHIN_MS)
    await someone.page.keyboard.press("Escape")
    await expect(someone["#recording"]).to_be_hidden()
    await expect(someone["article.turn"]).to_have_count(0)


async def test_an_audio_file_is_sent_and_others_are_refused_in_words(someone: Visitor, tmp_path: Path) -> None:
    (tmp_path / "letter.pdf").write_bytes(b"%PDF-1.4")
    (tmp_path / "broken.ogg").write_bytes(b"OggS" + b"x" * 4000)
    await someone["#file"].set_input_files(tmp_path / "letter.pdf")
    await expect(someone["#problem"]).to_contain_text("not an audio file", timeout=WITHIN_MS)
    await someone["#file"].set_input_files(record(tmp_path / "note.ogg", 2.0))
    await expect(someone.turn().locator(".text")).to_contain_text("You asked:", timeout=WITHIN_MS)
    await someone.reaches(someone.turn(), "done")
    someone.forgiven.append("status of 422")
    await someone["#file"].set_input_files(tmp_path / "broken.ogg")
    await expect(someone.turn().locator(".note")).to_contain_text("send it again", timeout=WITHIN_MS)


@pytest.mark.parametrize(("language", "direction"), [("ar", "rtl"), ("en", "ltr")])
async def test_each_language_has_its_direction_and_all_its_words(visit: Visit, language: str, direction: str) -> None:
    async with visit(language=language) as someone:
        for there in (language, {"ar": "en", "en": "ar"}[language]):
            await expect(someone["html"]).to_have_attribute("lang", there)
            await expect(someone["html"]).to_have_attribute("dir", {"ar": "rtl", "en": "ltr"}[there])
            await expect(someone["#notice"]).to_contain_text(AI[there])
            await expect(someone["#notice"]).to_be_in_viewport()
            for opens in ("#who", "#history", "#more", None):
                if opens:
                    await someone[opens].click()
                    await expect(someone["dialog[open]"]).to_be_visible()
                assert await someone.page.evaluate(WRONG_WORDS, FOREIGN[there]) == []
                await someone.page.keyboard.press("Escape")
                await expect(someone["dialog[open]"]).to_have_count(0)
            await someone["#language"].click()
        await expect(someone["html"]).to_have_attribute("dir", direction)
        await someone.page.reload()
        await expect(someone["html"]).to_have_attribute("lang", language)


async def test_an_answer_speaks_the_language_of_the_question(visit: Visit) -> None:
    async with visit(language="ar") as someone:
        turn = await someone.say("أين أنتم؟")
        await expect(turn.locator(".text")).to_contain_text("سؤالك هو", timeout=WITHIN_MS)
        assert await turn.locator(".text").evaluate("(each) => getComputedStyle(each).direction") == "rtl"
        turn = await someone.say("where are you?")
        await expect(turn.locator(".text")).to_contain_text("You asked", timeout=WITHIN_MS)
        assert await turn.locator(".text").evaluate("(each) => getComputedStyle(each).direction") == "ltr"


async def test_an_avatar_is_chosen_with_the_mouse_and_with_the_keyboard(someone: Visitor, site: Site) -> None:
    cards = someone["#avatars"].get_by_role("radio")
    await someone["#who"].click()
    await expect(cards).to_have_count(3)
    for picture in await someone["#avatars img"].all():
        await expect(picture).to_have_js_property("complete", True)
        assert await picture.evaluate("(each) => each.naturalWidth") > 0
    await cards.and_(someone.page.get_by_role("radio", name="Omar")).click()
    await expect(someone["#avatars"]).to_be_hidden()
    await expect(someone["#who"]).to_contain_text("Omar")
    await someone["#who"].focus()
    await someone.page.keyboard.press("Enter")
    await expect(cards.and_(someone["input:focus"])).to_be_checked()
    await someone.page.keyboard.press("ArrowDown")
    chosen = await someone["#avatars label:has(:checked)"].inner_text()
    assert "Omar" not in chosen
    await someone.page.keyboard.press("Enter")
    await expect(someone["#avatars"]).to_be_hidden()
    await expect(someone["#who"]).to_be_focused()
    await expect(someone["#who .name"]).to_have_text(chosen.splitlines()[0])
    await someone.page.reload()
    await expect(someone["#who .name"]).to_have_text(chosen.splitlines()[0])
    await someone.reaches(await someone.say("who is this, chosen by key?"), "done")
    found = await turns_of(site, "who is this, chosen by key?")
    assert str(found[0]["avatar"]).capitalize() == chosen.splitlines()[0]


async def test_work_is_shown_and_the_place_in_the_queue(visit: Visit) -> None:
    async with visit() as first, visit() as second:
        slow = await first.say("#sleep 2 llm")
        await expect(slow.locator(".doing")).to_have_text("Thinking about the answer", timeout=WITHIN_MS)
        await expect(slow.locator("progress")).to_be_visible()
        waiting = await second.say("and me?")
        await expect(waiting.locator(".doing")).to_have_text(re.compile("next|in the queue"), timeout=WITHIN_MS)
        await second.reaches(waiting, "done")
        await expect(waiting.locator(".work")).to_be_hidden()


async def test_cancelling(someone: Visitor) -> None:
    turn = await someone.say("a long story " * 100)
    await expect(turn.locator(".doing")).to_have_text("Filming the video", timeout=WITHIN_MS)
    await turn.locator(".cancel").click()
    await someone.reaches(turn, "cancelled")
    await expect(turn.locator(".note")).to_contain_text("cancelled")
    await expect(turn.locator(".work")).to_be_hidden()


async def test_an_answer_that_steps_down_says_so(someone: Visitor) -> None:
    turn = await someone.say("#fail tts")
    await expect(turn.locator(".note")).to_contain_text("could not be spoken", timeout=WITHIN_MS)
    await expect(turn.locator(".text")).to_contain_text("You asked")
    await expect(turn.locator(".stage")).to_be_hidden()


STEPPED = [
    ([], None, None),
    (["llm_cut"], "broke off before its end", "انقطعت إجابتي"),
    (["upscale"], "could not be sharpened", "تعذّر تحسين الصورة"),
    (["tts"], "so I answered in another one.", "فأجبت هذه المرة بصوت آخر."),
    (["tts", "video"], "in another one. The best video", "بصوت آخر. تعذّر إعداد أفضل فيديو"),
    (["llm", "video"], "from what I know by heart. The best video", "مما أحفظ. تعذّر إعداد أفضل فيديو"),
]


async def test_every_step_down_of_a_whole_answer_has_its_words(site: Site, visit: Visit) -> None:
    """Texts in English and Arabic, by the layers of a turn's steps (`llm_cut`: by its code)."""
    async with visit(language="en") as someone:
        await someone.reaches(await someone.say("what was left out?"), "done")
        (turn,) = await turns_of(site, "what was left out?")
        for steps, *texts in STEPPED:
            told = [{"layer": each.partition("_")[0], "engine": "x", "code": each} for each in steps]
            change = "UPDATE turns SET steps = CAST(:steps AS jsonb) WHERE id = :id RETURNING id"
            await rows(site.stack.database, change, steps=json.dumps(told), id=turn["id"])
            await someone.page.reload()
            note = someone.turn().locator(".note")
            await expect(someone.turn().locator("video.video")).to_be_visible(timeout=WITHIN_MS)
            for text in texts:
                await (expect(note).to_contain_text(text) if text else expect(note).to_be_hidden())
                await someone["#language"].click()


async def test_the_conversation_is_there_after_a_reload_and_a_new_one_is_empty(someone: Visitor) -> None:
    for said in ("first question", "second question"):
        await someone.reaches(await someone.say(said), "done")
    await someone.page.reload()
    await expect(someone["article.turn"]).to_have_count(2, timeout=WITHIN_MS)
    await expect(someone.turn(0)).to_contain_text("You asked: first question")
    await plays(someone.turn(1).locator("video.video"), pressed=True)
    await someone["#fresh"].click()
    await expect(someone["article.turn"]).to_have_count(0)
    await someone.reaches(await someone.say("third question"), "done")
    await someone["#history"].click()
    await expect(someone["#chats li"]).to_have_count(2)
    await someone["#chats"].get_by_text("first question").click()
    await expect(someone["article.turn"]).to_have_count(2, timeout=WITHIN_MS)


async def test_a_reload_of_a_page_that_is_still_loading_loses_nothing(someone: Visitor) -> None:
    await someone.reaches(await someone.say("said before"), "done")
    await someone.page.route("**/api/v1/avatars", lambda route: asyncio.sleep(0))
    await someone.page.reload()
    await expect(someone["#who .name"]).to_be_empty()
    await someone.page.unroute("**/api/v1/avatars")
    await someone.page.reload()
    await expect(someone.turn()).to_contain_text("You asked: said before", timeout=WITHIN_MS)


async def test_a_lost_connection_heals_and_what_was_written_is_sent_once(someone: Visitor, site: Site) -> None:
    someone.forgiven += ["ERR_INTERNET_DISCONNECTED", "ERR_CONNECTION", "WebSocket connection", "ERR_EMPTY_RESPONSE"]
    someone.forgiven.append("ERR_CONTENT_LENGTH_MISMATCH")
    await someone.reaches(await someone.say("while all is well"), "done")
    async with site.without("bot"):
        await expect(someone["#connection"]).to_contain_text("lost", timeout=WITHIN_MS)
        turn = await someone.say("said to nobody")
        await expect(someone["#text"]).to_have_value("")
    await someone.reaches(turn, "done", within_ms=40_000)
    await expect(someone["#connection"]).to_be_hidden(timeout=WITHIN_MS)
    await someone.context.set_offline(True)
    turn = await someone.say("said under ground")
    await expect(turn).to_contain_text("No connection", timeout=WITHIN_MS)
    await someone.context.set_offline(False)
    await someone.reaches(turn, "done", within_ms=40_000)
    for said in ("said to nobody", "said under ground"):
        assert len(await turns_of(site, said)) == 1
    await expect(someone["article.turn"]).to_have_count(3)


async def test_a_double_click_sends_once(someone: Visitor, site: Site) -> None:
    await someone["#text"].fill("pressed twice")
    await someone["#send"].dblclick()
    await someone.reaches(someone.turn(), "done")
    await expect(someone["article.turn"]).to_have_count(1)
    assert len(await turns_of(site, "pressed twice")) == 1


@asynccontextmanager
async def unsendable(someone: Visitor) -> AsyncIterator[None]:
    """No message of any tab's reaches the server for the length of a block."""
    someone.forgiven.append("ERR_CONNECTION_REFUSED")
    await someone.context.route(MESSAGES, lambda route: route.abort("connectionrefused"))
    try:
        yield
    finally:
        await someone.context.unroute(MESSAGES)


async def forgotten(client: httpx.AsyncClient, conversation: str, within_s: float = 20.0) -> None:
    """Returns when the server does not know the conversation any more."""
    deadline = time.monotonic() + within_s
    while (await client.get(f"/conversations/{conversation}")).status_code != 404:
        assert time.monotonic() < deadline, f"still there after {within_s} s"
        await asyncio.sleep(0.05)


async def test_what_two_tabs_wrote_while_nothing_could_be_sent_is_sent_once(someone: Visitor, site: Site) -> None:
    other = await someone.another_tab()
    async with unsendable(someone):
        await someone.say("from the one tab")
        await other.say("from the other tab")
        await someone.page.reload()
        await expect(someone.turn()).to_contain_text("tab", timeout=WITHIN_MS)
    for tab in (someone, other):
        await expect(tab["article.turn"]).not_to_have_count(0)
        await expect(tab["article.turn:not([data-turn])"]).to_have_count(0, timeout=WITHIN_MS)
        await expect(tab[".outcome.bad"]).to_have_count(0)
        assert await tab.page.evaluate(OUTBOX) == []
    for said in ("from the one tab", "from the other tab"):
        assert len(await turns_of(site, said)) == 1


async def test_a_message_whose_answer_is_lost_is_answered_once(someone: Visitor, site: Site) -> None:
    await someone.reaches(await someone.say("before it is lost"), "done")
    someone.forgiven.append("ERR_CONNECTION_RESET")
    kept: list[int] = []

    async def lose(route: Route) -> None:
        answer = await route.fetch()
        kept.append(answer.status)
        await route.abort("connectionreset")

    await someone.page.route(MESSAGES, lose, times=1)
    turn = await someone.say("taken without a word")
    await someone.reaches(turn, "done")
    assert kept == [202]
    await expect(someone["article.turn"]).to_have_count(2)
    assert len(await turns_of(site, "taken without a word")) == 1


@pytest.mark.parametrize("status", [429, 503])
async def test_what_a_limit_refused_is_kept_and_sent_again(someone: Visitor, site: Site, status: int) -> None:
    someone.forgiven.append(f"status of {status}")
    code = {429: "too_many_open", 503: "queue_full"}[status]
    refusal = {"error": {"code": code, "message": "Later, please.", "request_id": "r"}}

    async def refuse(route: Route) -> None:
        await route.fulfill(status=status, json=refusal, headers={"Retry-After": "30"})

    await someone.page.route(MESSAGES, refuse)
    said = f"refused with {status}"
    turn = await someone.say(said)
    await expect(turn.locator(".outcome.bad .note")).to_have_text("Later, please.", timeout=WITHIN_MS)
    await someone.page.unroute(MESSAGES)
    await someone.page.reload()
    turn = someone.turn()
    await expect(turn).to_contain_text(said, timeout=WITHIN_MS)
    await turn.locator(".retry").click()
    await someone.reaches(someone.turn(), "done")
    assert len(await turns_of(site, said)) == 1


async def test_a_message_to_a_deleted_conversation_begins_a_new_one(someone: Visitor, site: Site) -> None:
    someone.forgiven += ["ERR_INTERNET_DISCONNECTED", "WebSocket connection", "status of 404"]
    await someone.reaches(await someone.say("soon deleted"), "done")
    [before] = await turns_of(site, "soon deleted")
    await someone.context.set_offline(True)
    await someone.say("written to nowhere")
    async with httpx.AsyncClient(base_url=f"{site.url}/api/v1") as client:
        chat = {"conversation_id": str(before["conversation_id"])}
        assert (await client.post("/messages", json={"text": "/delete_me yes", **chat})).status_code == 202
        await forgotten(client, chat["conversation_id"])
    await someone.context.set_offline(False)
    await expect(someone["#problem"]).to_contain_text("deleted", timeout=WITHIN_MS)
    await expect(someone["article.turn"]).to_have_count(1)
    await someone.reaches(someone.turn(), "done")
    [after] = await turns_of(site, "written to nowhere")
    assert after["conversation_id"] != before["conversation_id"]


async def test_a_server_with_a_key_asks_for_it_until_it_is_right(
    someone: Visitor, site: Site, migrated_url: str, redis_url: str
) -> None:
    someone.forgiven.append("status of 403")
    with served(keyed(migrated_url, redis_url, site.stack.folder)) as url:
        await someone.page.goto(url)
        await expect(someone["#keys"]).to_be_visible(timeout=WITHIN_MS)
        await expect(someone["#key-wrong"]).to_be_hidden()
        await someone["#key"].fill("guessed")
        await someone.page.keyboard.press("Enter")
        await expect(someone["#key-wrong"]).to_be_visible(timeout=WITHIN_MS)
        await expect(someone["#key"]).to_have_value("")
        await someone["#key"].fill("s3cret")
        await someone.page.keyboard.press("Enter")
        await expect(someone["#who .name"]).not_to_be_empty(timeout=WITHIN_MS)
        await expect(someone["#keys"]).to_be_hidden()
        await someone.reaches(await someone.say("let in"), "done")
        await someone.page.goto("about:blank")


GARBAGE = {
    "not JSON": dict.fromkeys(("now", "avatar", "chats", "draft", "outbox.x", "language", "theme"), "{]"),
    "other kinds": {
        "now": '{"conversation": [7], "chat": {}}',
        "avatar": "{}",
        "chats": '[null, 7, {"id": 1}, {"id": "x", "words": "x", "at": 1e300}]',
        "draft": "{}",
        "outbox.x": "7",
    },
    "nearly right": {
        "now": '{"conversation": "nonsense", "chat": "nonsense"}',
        "outbox.x": '{"key": "مفتاح", "text": "mine", "chat": "nonsense"}',
        f"outbox.{'0' * 32}": f'{{"key": "{"0" * 32}", "text": "without a time", "chat": "nonsense"}}',
    },
}


@pytest.mark.parametrize("kind", GARBAGE)
async def test_garbage_in_the_browsers_memory_does_not_stop_the_page(someone: Visitor, kind: str) -> None:
    someone.forgiven += ["status of 404", "status of 422", "closed before the connection is established"]
    await someone.page.evaluate(PLANT, GARBAGE[kind])
    await someone.page.reload()
    await expect(someone["#who .name"]).not_to_be_empty(timeout=WITHIN_MS)
    await expect(someone["#text"]).to_have_value("")
    turn = await someone.say("still here")
    await someone.reaches(turn, "done")
    await someone["#history"].click()
    await expect(someone["#chats li"]).to_have_count(1)
    await expect(someone["#connection"]).to_be_hidden()


async def test_a_recording_that_is_too_short_is_told_and_not_sent(someone: Visitor) -> None:
    sent: list[str] = []
    someone.page.on("request", lambda request: sent.append(request.method))
    await someone.page.evaluate(SEND_AT_ONCE)
    await someone["#record"].click()
    await expect(someone["#problem"]).to_contain_text("too short", timeout=WITHIN_MS)
    await expect(someone["#recording"]).to_be_hidden()
    await expect(someone["article.turn"]).to_have_count(0)
    assert "POST" not in sent


async def test_an_audio_file_that_is_dropped_on_the_page_is_sent(someone: Visitor, tmp_path: Path) -> None:
    note = base64.b64encode(record(tmp_path / "note.ogg").read_bytes()).decode()
    carried = {"dataTransfer": await someone.page.evaluate_handle(CARRY, note)}
    await someone["#scroll"].dispatch_event("dragenter", carried)
    await expect(someone["#drop"]).to_be_visible()
    await someone["#scroll"].dispatch_event("drop", carried)
    await expect(someone["#drop"]).to_be_hidden()
    await expect(someone.turn().locator(".text")).to_contain_text("You asked:", timeout=WITHIN_MS)
    await expect(someone["article.turn"]).to_have_count(1)


HOSTILE = {
    "markup": "<img src=x onerror=\"console.error('ran')\"><script>console.error('ran')</script><b>bold</b>",
    "directions": "\u202e\u2067reversed\u2066 \u202d مرحبا \u202b(",
    "without blanks": "x" * 2000,
}


@pytest.mark.parametrize("kind", HOSTILE)
async def test_hostile_text_stays_text_and_in_its_place(visit: Visit, kind: str) -> None:
    async with visit(size=SMALL) as someone:
        turn = await someone.say(HOSTILE[kind])
        await expect(turn.locator(".text")).to_contain_text(HOSTILE[kind][-8:], timeout=WITHIN_MS)
        await expect(turn.locator(".said img, .said b, .said script, .text img, .text b, .text script")).to_have_count(
            0
        )
        assert HOSTILE[kind] in (await turn.locator(".said").text_content() or "")
        assert await someone.overflow() <= 0
        for part in (".said", ".text"):
            box = await turn.locator(part).bounding_box()
            assert box is not None
            assert box["x"] >= 0
            assert box["x"] + box["width"] <= SMALL[0]
        name = someone["#who .name"]
        assert await name.evaluate("(each) => getComputedStyle(each).direction") == "ltr"
        if await turn.locator(".cancel").is_visible():
            with suppress(TimeoutError):  # it ends on its own meanwhile
                await turn.locator(".cancel").click(timeout=1000)
        await someone["#history"].click()
        await expect(someone["#chats li"]).to_have_count(1)
        assert await someone.overflow() <= 0


async def test_two_people_see_only_their_own(visit: Visit) -> None:
    async with visit() as one, visit() as other:
        await one.reaches(await one.say("a secret of mine"), "done")
        await other.reaches(await other.say("something else"), "done")
        await other.page.reload()
        await expect(other["article.turn"]).to_have_count(1, timeout=WITHIN_MS)
        assert "secret" not in await other["body"].inner_text()
        assert "something else" not in await one["body"].inner_text()


@pytest.mark.parametrize("theme", ["light", "dark"])
async def test_light_and_dark(visit: Visit, theme: str) -> None:
    async with visit(theme=theme) as someone:
        assert (await someone.page.evaluate(LIGHTNESS) > 0.5) is (theme == "light")
        await someone["#theme"].click()
        await someone.page.reload()
        assert (await someone.page.evaluate(LIGHTNESS) > 0.5) is (theme == "dark")


@pytest.mark.parametrize(("language", "theme"), SIGHTS)
async def test_everybody_can_use_it(visit: Visit, language: str, theme: str) -> None:
    """axe, with the picker open, while recording, while working and with a finished answer."""
    async with visit(language=language, theme=theme) as someone:
        assert await someone.faults() == []
        await someone["#who"].click()
        assert await someone.faults() == []
        await someone.page.keyboard.press("Escape")
        await someone["#record"].click()
        await expect(someone["#recording"]).to_be_visible(timeout=WITHIN_MS)
        assert await someone.faults() == []
        await someone.page.keyboard.press("Escape")
        turn = await someone.say("#sleep 1 llm")
        await expect(turn.locator(".doing")).not_to_be_empty(timeout=WITHIN_MS)
        assert await someone.faults() == []
        await someone.reaches(turn, "done")
        await expect(turn.locator("video.video")).to_be_visible(timeout=WITHIN_MS)
        assert await someone.faults() == []


@pytest.mark.parametrize("size", [SMALL, DESKTOP])
async def test_it_fits(visit: Visit, size: tuple[int, int]) -> None:
    async with visit(size=size) as someone:
        await someone.reaches(await someone.say("hello"), "done")
        for _ in ("en", "ar"):
            assert await someone.overflow() <= 0
            for control in ("#text", "#send", "#record", "#who", "#language", "#notice"):
                await expect(someone[control]).to_be_in_viewport(ratio=1)
            await someone["#who"].click()
            assert await someone.overflow() <= 0
            await someone.page.keyboard.press("Escape")
            await someone["#language"].click()


async def test_the_keyboard_alone_will_do(someone: Visitor) -> None:
    await someone["#text"].focus()
    await someone.page.keyboard.type("typed")
    await someone.page.keyboard.press("Shift+Enter")
    await someone.page.keyboard.type("on two lines")
    await someone.page.keyboard.press("Enter")
    await expect(someone["article.turn"]).to_have_count(1)
    await expect(someone["#text"]).to_have_value("")
    await expect(someone["#text"]).to_be_focused()
    await expect(someone.turn().locator(".said")).to_contain_text("on two lines")


@pytest.fixture
async def real_site(site: Site) -> AsyncIterator[Site]:
    """The same site with the CPU's engines."""
    own = {layer.value: engine for layer, engine in PROFILES["cpu"].items()}
    async with site.without("render"):
        site.stack.start("render", lease_s=20, **own)
        yield site
        site.stack.signal("render")
        await site.stack.ended("render", 10)


async def test_a_spoken_question_is_understood_and_answered_by_the_cpus_engines(
    real_site: Site, chromium: Browser
) -> None:
    async with visitor(chromium, real_site.url) as someone:
        await someone["#record"].click()
        await expect(someone["#elapsed"]).to_have_text("0:03", timeout=WITHIN_MS)
        await asyncio.sleep(0.5)
        await someone["#send"].click()
        turn = someone.turn()
        await expect(turn.locator(".said")).to_contain_text(
            QUESTION.rstrip("?").lower(), ignore_case=True, timeout=60_000
        )
        await expect(turn.locator(".text")).to_contain_text("book", timeout=60_000)
        await plays(turn.locator("video.video"))
        width = await turn.locator("video.video").evaluate("(film) => film.videoWidth")
        assert width == 512


GONE = {"ar": "لم يعد تسجيل هذه الإجابة محفوظًا", "en": "no longer kept"}


@pytest.mark.parametrize("language", GONE)
async def test_an_answer_whose_files_are_no_longer_kept_says_so_and_keeps_its_words(
    visit: Visit, site: Site, language: str
) -> None:
    """On a page that is open, whose player finds nothing, and on one that is opened later."""
    async with visit(language=language) as someone, httpx.AsyncClient(base_url=site.url) as client:
        turn = await someone.say("where are you?")
        await plays(turn.locator("video.video"))
        await someone.reaches(turn, "done")
        known = UUID(await turn.get_attribute("data-turn"))
        link = (await client.get(f"/api/v1/turns/{known}")).json()["video_url"]
        marked = "UPDATE turns SET media_removed_at = now() WHERE id = :id RETURNING id"
        await rows(site.stack.database, marked, id=known)
        shutil.rmtree(site.stack.folder / "media" / str(known))
        told = (await client.get(f"/api/v1/turns/{known}")).json()
        assert (told["video_url"], told["audio_url"], told["media_removed"]) == (None, None, True)
        assert (await client.get(link)).status_code == 404
        someone.forgiven.append("status of 404")
        await turn.locator("video.video").evaluate("(film) => { film.src += '&again'; }")
        for _ in range(2):
            note, text = someone.turn().locator(".note"), someone.turn().locator(".text")
            await expect(note).to_contain_text(GONE[language], timeout=WITHIN_MS)
            await expect(text).to_contain_text("where are you?")
            await expect(someone.turn().locator(".stage")).to_be_hidden()
            await expect(someone.turn().locator(".spoken")).to_be_hidden()
            await someone.page.reload()
        assert await someone.faults() == []
