"""REST over real HTTP, against a real PostgreSQL and Redis."""

from __future__ import annotations

import asyncio
import json
import os
import uuid
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from bot.api import messages
from bot.api.schemas import ChoiceOut
from core.decoding import Voice
from core.i18n import t
from core.queue import CANCELS, Queue
from core.settings import Settings
from core.states import TurnEvent
from db import turns
from db.migrate import upgrade
from db.sessions import Database
from tests.helpers import query
from tests.recordings import cut, record
from tests.web import claimed, wait_for
from worker.deciding.choosing import Choice, LeftOut, Why

TIMINGS = {"asr", "emotion", "llm", "tts", "video", "upscale", "total"}
NOBODYS = "5d1c9f46-2bb2-4f5c-9d30-0d2cf5b6cbd2"
"""No conversation or turn has this id."""


@pytest.fixture(scope="module")
def settings(database_url: str, redis_url: str, tmp_path_factory: pytest.TempPathFactory) -> Settings:
    upgrade(database_url)
    data_dir = tmp_path_factory.mktemp("data")
    return Settings(_env_file=None, database_url=database_url, redis_url=redis_url, data_dir=data_dir, port=0)


@pytest.fixture
async def client(base_url: str) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(base_url=base_url, timeout=30) as client:
        yield client


@pytest.fixture
async def database(settings: Settings) -> AsyncIterator[Database]:
    database = Database(settings.database_url)
    yield database
    await database.close()


@pytest.fixture
async def queue(settings: Settings) -> AsyncIterator[Queue]:
    queue = Queue.lazy(settings.redis_url)
    yield queue
    await queue.close()


def checked_error(response: httpx.Response, status: int, code: str) -> str:
    """The message; the object is exactly the one that was promised."""
    assert response.status_code == status, response.text
    error = response.json()["error"]
    assert set(response.json()) == {"error"}
    assert set(error) == {"code", "message", "request_id"}
    assert error["code"] == code
    assert error["request_id"] == response.headers["x-request-id"]
    assert "Traceback" not in response.text
    return str(error["message"])


def files(settings: Settings) -> list[Path]:
    """Everything below the media folder; a folder that goes while it is looked at is gone."""
    return [Path(folder, name) for folder, inner, names in os.walk(settings.media_dir) for name in (*inner, *names)]


def count(settings: Settings, table: str) -> int:
    return int(query(settings.database_url, f"SELECT count(*) FROM {table}"))


async def post(client: httpx.AsyncClient, text: str = "مرحبا", **more: Any) -> dict[str, str]:
    response = await client.post("/api/v1/messages", json={"text": text, **more})
    assert response.status_code == 202, response.text
    return dict(response.json())


class TestMessages:
    async def test_a_text_becomes_a_queued_turn(self, client: httpx.AsyncClient) -> None:
        sent = await post(client, "  ما هي ساعات العمل؟\r\n", language="ar", avatar="layla", modes=["text", "voice"])
        assert set(sent) == {"turn_id", "conversation_id"}
        turn = (await client.get(f"/api/v1/turns/{sent['turn_id']}")).json()
        assert turn["state"] == "queued"
        assert turn["transcript"] == "ما هي ساعات العمل؟"
        assert (turn["avatar"], turn["language"], turn["input"], turn["seq"]) == ("layla", "ar", "text", 1)
        assert turn["queue_position"] >= 1
        assert turn["progress"] == 0.0
        assert set(turn["timings_ms"]) == TIMINGS
        assert not any(turn["timings_ms"].values())
        for name in ("layer", "emotion", "text", "audio_url", "video_url", "error"):
            assert turn[name] is None

    async def test_a_conversation_goes_on_and_keeps_its_choices(self, client: httpx.AsyncClient) -> None:
        first = await post(client, "hello", language="en", avatar="omar")
        second = await post(client, "again", conversation_id=first["conversation_id"])
        assert second["conversation_id"] == first["conversation_id"]
        conversation = (await client.get(f"/api/v1/conversations/{first['conversation_id']}")).json()
        assert [turn["turn_id"] for turn in conversation["turns"]] == [first["turn_id"], second["turn_id"]]
        assert [turn["avatar"] for turn in conversation["turns"]] == ["omar", "omar"]
        assert (conversation["avatar"], conversation["language"], conversation["voice"]) == ("omar", "en", None)

    async def test_the_same_key_is_the_same_turn(self, client: httpx.AsyncClient, settings: Settings) -> None:
        headers = {"Idempotency-Key": "order 66 of the empire"}
        before = count(settings, "conversations")
        sent = [client.post("/api/v1/messages", json={"text": "once"}, headers=headers) for _ in range(8)]
        answers = [(response.status_code, response.text) for response in await asyncio.gather(*sent)]
        assert len(set(answers)) == 1
        assert answers[0][0] == 202
        assert count(settings, "conversations") == before + 1
        other = await client.post("/api/v1/messages", json={"text": "twice"}, headers=headers)
        checked_error(other, 409, "conflict")

    async def test_a_recording_that_is_sent_again_meanwhile_is_decoded_once(
        self, client: httpx.AsyncClient, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        decoded, decode = [], messages.decode_voice

        async def counted(source: Path, target: Path) -> Voice:
            decoded.append(source)
            return await decode(source, target)

        monkeypatch.setattr(messages, "decode_voice", counted)
        files = {"audio": ("a.ogg", record(tmp_path / "a.ogg", 1.0).read_bytes(), "audio/ogg")}
        headers = {"Idempotency-Key": "one recording, however often"}
        sent = [client.post("/api/v1/messages", files=files, headers=headers) for _ in range(4)]
        sent.append(client.post("/api/v1/messages", files=files))
        answers = [response.json()["turn_id"] for response in await asyncio.gather(*sent)]
        assert len(set(answers[:4])) == 1
        assert answers[4] != answers[0]
        assert len(decoded) == 2

    @pytest.mark.parametrize(
        ("text", "code"),
        [
            ("", "text_invalid"),
            (" \n\t ", "text_invalid"),
            ("\u200b\u200f\ufeff", "text_invalid"),
            ("x" * 2001, "text_invalid"),
            ("a\x00b", "text_invalid"),
            ("\x89PNG\x1a", "text_invalid"),
            ("a\x9fb", "text_invalid"),
            ("half \ud83d", "text_invalid"),
            (17, "invalid_input"),
            (["hello"], "invalid_input"),
            (None, "invalid_input"),
        ],
    )
    async def test_what_is_no_text_is_refused_and_leaves_nothing(
        self, client: httpx.AsyncClient, settings: Settings, text: Any, code: str
    ) -> None:
        before = count(settings, "contacts")
        body, headers = json.dumps({"text": text}), {"Content-Type": "application/json"}
        checked_error(await client.post("/api/v1/messages", content=body, headers=headers), 422, code)
        assert count(settings, "contacts") == before

    async def test_the_longest_text_is_taken(self, client: httpx.AsyncClient) -> None:
        await post(client, "  " + "😀" * 2000 + "\n")

    @pytest.mark.parametrize(
        ("change", "status", "code"),
        [
            ({"avatar": "nobody"}, 404, "not_found"),
            ({"avatar": "../../etc"}, 404, "not_found"),
            ({"avatar": "/etc/passwd"}, 404, "not_found"),
            ({"avatar": "layla\u0000"}, 404, "not_found"),
            ({"avatar": ""}, 404, "not_found"),
            ({"voice": "nobody"}, 404, "not_found"),
            ({"voice": "..%2f..%2fetc"}, 404, "not_found"),
            ({"conversation_id": "42"}, 404, "not_found"),
            ({"conversation_id": str(uuid.uuid4())}, 404, "not_found"),
            ({"conversation_id": "{" + str(uuid.uuid4()) + "}"}, 404, "not_found"),
            ({"language": "fr"}, 422, "invalid_input"),
            ({"modes": []}, 422, "invalid_input"),
            ({"modes": ["smoke"]}, 422, "invalid_input"),
            ({"modes": "video"}, 422, "invalid_input"),
        ],
    )
    async def test_a_choice_that_is_none_is_refused(
        self, client: httpx.AsyncClient, change: dict[str, Any], status: int, code: str
    ) -> None:
        response = await client.post("/api/v1/messages", json={"text": "hello", **change})
        assert checked_error(response, status, code)

    @pytest.mark.parametrize("body", [b"", b"{", b'{"text": ', b"[1]", b'"text"', b"\xff\xfe", b"[" * 100_000])
    async def test_malformed_json_is_a_400(self, client: httpx.AsyncClient, body: bytes) -> None:
        response = await client.post("/api/v1/messages", content=body, headers={"Content-Type": "application/json"})
        checked_error(response, 400, "malformed_body")

    async def test_other_content_types_are_refused(self, client: httpx.AsyncClient) -> None:
        for headers in ({"Content-Type": "text/plain"}, {"Content-Type": "application/x-www-form-urlencoded"}, {}):
            response = await client.post("/api/v1/messages", content=b"text=hello", headers=headers)
            checked_error(response, 415, "media_type_unsupported")

    @pytest.mark.parametrize("key", ["", "x" * 256, "tab\tkey"])
    async def test_a_key_that_is_none_is_refused(self, client: httpx.AsyncClient, key: str) -> None:
        response = await client.post("/api/v1/messages", json={"text": "hi"}, headers={"Idempotency-Key": key})
        checked_error(response, 422, "invalid_input")

    async def test_a_body_that_is_too_large_is_refused_early(self, client: httpx.AsyncClient) -> None:
        response = await client.post("/api/v1/messages", json={"text": "x" * 1_000_000})
        checked_error(response, 413, "too_large")

        async def endless() -> AsyncIterator[bytes]:
            for _ in range(100):
                yield b"x" * 100_000

        headers = {"Content-Type": "application/json"}
        response = await client.post("/api/v1/messages", content=endless(), headers=headers)
        checked_error(response, 413, "too_large")


class TestRecordings:
    async def test_a_voice_note_becomes_a_queued_turn_with_a_decoded_recording(
        self, client: httpx.AsyncClient, settings: Settings, tmp_path: Path
    ) -> None:
        note = record(tmp_path / "note.ogg", 2)
        data = {"language": "en", "modes": ["text", "video"]}
        response = await client.post("/api/v1/messages", files={"audio": ("n.ogg", note.read_bytes())}, data=data)
        assert response.status_code == 202, response.text
        turn = (await client.get(f"/api/v1/turns/{response.json()['turn_id']}")).json()
        assert (turn["state"], turn["input"], turn["transcript"], turn["language"]) == ("queued", "voice", None, "en")
        name = query(settings.database_url, f"SELECT input_media FROM turns WHERE id = '{response.json()['turn_id']}'")
        assert [path.name for path in (settings.media_dir / name).parent.iterdir()] == ["voice.wav"]
        assert (settings.media_dir / name).read_bytes()[:4] == b"RIFF"

    async def test_a_form_may_hold_a_text(self, client: httpx.AsyncClient, settings: Settings) -> None:
        before = files(settings)
        response = await client.post("/api/v1/messages", files={"text": (None, "مرحبا"), "modes": (None, "text,voice")})
        assert response.status_code == 202, response.text
        assert files(settings) == before

    async def test_a_repeated_recording_leaves_no_second_file(
        self, client: httpx.AsyncClient, settings: Settings, tmp_path: Path
    ) -> None:
        note = record(tmp_path / "note.ogg").read_bytes()
        send = {"files": {"audio": ("n.ogg", note)}, "headers": {"Idempotency-Key": "a note of some length"}}
        first = await client.post("/api/v1/messages", **send)
        before = sorted(files(settings))
        second = await client.post("/api/v1/messages", **send)
        assert second.json() == first.json()
        assert sorted(files(settings)) == before

    @pytest.mark.parametrize(
        ("name", "status", "code", "words"),
        [
            ("empty", 422, "audio_invalid", "empty"),
            ("png", 415, "audio_invalid", "not a sound recording"),
            ("codec", 415, "audio_invalid", "format"),
            ("large", 413, "audio_invalid", "too large"),
            ("long", 422, "audio_invalid", "too long"),
            ("cut", 422, "audio_invalid", "broke off"),
            ("silent", 422, "audio_invalid", "Nothing can be heard"),
            ("none", 422, "invalid_input", "either"),
            ("both", 422, "invalid_input", "either"),
            ("avatar", 404, "not_found", "no avatar of that name"),
            ("two", 400, "malformed_body", "form"),
            ("torn", 400, "malformed_body", "form"),
            ("boundary", 400, "malformed_body", "form"),
            ("fields", 413, "too_large", "large"),
            ("parts", 400, "malformed_body", "form"),
        ],
    )
    async def test_what_can_not_be_used_is_refused_and_leaves_nothing(
        self,
        client: httpx.AsyncClient,
        settings: Settings,
        tmp_path: Path,
        name: str,
        status: int,
        code: str,
        words: str,
    ) -> None:
        before = sorted(files(settings)), count(settings, "turns")
        response = await client.post("/api/v1/messages", **self.bad(name, tmp_path))
        assert words in checked_error(response, status, code)
        assert (sorted(files(settings)), count(settings, "turns")) == before

    def bad(self, name: str, folder: Path) -> dict[str, Any]:
        good = record(folder / "good.wav", 0.5).read_bytes()
        form = {"Content-Type": "multipart/form-data; boundary=x"}
        recordings = {
            "empty": lambda: b"",
            "png": lambda: b"\x89PNG\r\n\x1a\n" + bytes(100),
            "codec": lambda: record(folder / "a.wav", codec="adpcm_ima_wav").read_bytes(),
            "large": lambda: bytes(16 * 1024 * 1024 + 10),
            "long": lambda: record(folder / "a.ogg", 302).read_bytes(),
            "cut": lambda: cut(record(folder / "a.wav", 3), 0.5).read_bytes(),
            "silent": lambda: record(folder / "a.wav", level=0).read_bytes(),
        }
        if name in recordings:
            return {"files": {"audio": ("voice.ogg", recordings[name]())}}
        other: dict[str, dict[str, Any]] = {
            "none": {"files": {"language": (None, "en")}},
            "both": {"files": {"audio": ("a.wav", good), "text": (None, "hello")}},
            "avatar": {"files": {"audio": ("a.wav", good)}, "data": {"avatar": "../x"}},
            "two": {"files": [("audio", ("a.wav", good)), ("audio", ("b.wav", good))]},
            "torn": {"content": b'--x\r\nContent-Disposition: form-data; name="audio"\r\n\r\nabc', "headers": form},
            "boundary": {"content": b"abc", "headers": {"Content-Type": "multipart/form-data"}},
            "fields": {"files": {"audio": ("a.wav", good), "text": (None, "x" * 100_000)}},
            "parts": {"files": [(f"f{number}", (None, "x")) for number in range(50)]},
        }
        return other[name]

    async def test_a_form_far_beyond_the_limit_is_refused_by_its_length(self, client: httpx.AsyncClient) -> None:
        response = await client.post("/api/v1/messages", files={"audio": ("a.wav", bytes(24 * 1024 * 1024))})
        checked_error(response, 413, "too_large")

    async def test_an_upload_that_breaks_off_leaves_nothing(
        self, client: httpx.AsyncClient, settings: Settings, base_url: str
    ) -> None:
        before = sorted(files(settings))
        port = int(base_url.rpartition(":")[2])
        _, writer = await asyncio.open_connection("127.0.0.1", port)
        part = '--x\r\nContent-Disposition: form-data; name="audio"; filename="a"\r\n\r\n' + "a" * 200_000
        head = "POST /api/v1/messages HTTP/1.1\r\nHost: localhost\r\nContent-Length: 400000\r\n"
        writer.write(f"{head}Content-Type: multipart/form-data; boundary=x\r\n\r\n{part}".encode())
        await writer.drain()
        await asyncio.to_thread(wait_for, lambda: sorted(files(settings)) != before)
        writer.close()
        await asyncio.to_thread(wait_for, lambda: sorted(files(settings)) == before)
        assert 'status="499"' in (await client.get("/metrics")).text


class TestTurns:
    async def test_a_running_turn_shows_what_only_redis_knows(
        self, client: httpx.AsyncClient, database: Database, queue: Queue
    ) -> None:
        sent = await post(client)
        await claimed(database, sent["turn_id"])
        await queue.tell(sent["conversation_id"], sent["turn_id"], {"layer": "llm", "progress": 0.4, "text": "أهلا"})
        turn = (await client.get(f"/api/v1/turns/{sent['turn_id']}")).json()
        assert (turn["state"], turn["layer"], turn["progress"], turn["text"]) == ("running", "llm", 0.4, "أهلا")
        assert turn["queue_position"] == 0

    async def test_a_turn_tells_what_draws_and_why(self, client: httpx.AsyncClient, database: Database) -> None:
        sent = await post(client)
        held = await claimed(database, sent["turn_id"])
        assert (await client.get(f"/api/v1/turns/{sent['turn_id']}")).json()["choice"] is None
        left_out = (LeftOut("echomimic", "no half-body picture"), LeftOut("musetalk", "too slow: 90 s in 60 s"))
        choice = Choice("puppet", None, Why.FASTER, 60.0, 3.25, left_out).told()
        await turns.save(database, held, turns.Save(columns={"choice": choice}))
        told = (await client.get(f"/api/v1/turns/{sent['turn_id']}")).json()["choice"]
        assert told == choice == ChoiceOut(**told).model_dump()

    async def test_an_answer_has_links_that_serve_its_files(
        self, client: httpx.AsyncClient, database: Database, settings: Settings
    ) -> None:
        sent = await post(client)
        held = await claimed(database, sent["turn_id"])
        name = f"{sent['turn_id']}/{held.fence}/answer.mp4"
        path = settings.media_dir / name
        path.parent.mkdir(parents=True)
        path.write_bytes(bytes(range(256)) * 40)
        columns = {
            "answer": "أهلا بك",
            "answer_language": "ar",
            "video": {"path": name, "seconds": 1.0, "bytes": 10240},
            "timings_ms": {"llm": 12.5, "first_text": 3.0},
            "engines": {"llm": "answers"},
        }
        await turns.save(database, held, turns.Save(columns=columns, event=TurnEvent.RENDER))
        turn = (await client.get(f"/api/v1/turns/{sent['turn_id']}")).json()
        assert (turn["state"], turn["text"], turn["progress"]) == ("rendered", "أهلا بك", 1.0)
        assert set(turn["timings_ms"]) == TIMINGS
        assert turn["timings_ms"]["llm"] == 12.5
        await self.check_link(client, turn["video_url"])

    async def check_link(self, client: httpx.AsyncClient, url: str) -> None:
        whole = await client.get(url)
        assert (whole.status_code, whole.headers["content-type"], len(whole.content)) == (200, "video/mp4", 10240)
        part = await client.get(url, headers={"Range": "bytes=256-511"})
        assert (part.status_code, part.content) == (206, bytes(range(256)))
        assert part.headers["content-range"] == "bytes 256-511/10240"
        beyond = await client.get(url, headers={"Range": "bytes=99999-"})
        assert beyond.status_code == 416
        checked_error(await client.get(url.replace("signature=", "signature=0")), 403, "forbidden")
        checked_error(await client.get(url.partition("?")[0]), 403, "forbidden")
        checked_error(await client.get(url.replace("answer.mp4", "other.mp4")), 403, "forbidden")

    async def test_a_failed_turn_says_why_in_its_language(self, client: httpx.AsyncClient, database: Database) -> None:
        sent = await post(client, language="ar")
        held = await claimed(database, sent["turn_id"])
        error = {
            "code": "language_unsupported",
            "layer": "asr",
            "message_id": "error-asr-language",
            "args": {"language": "ar", "model": "Fun-ASR", "command": "smarttalker models fetch asr"},
        }
        await turns.save(database, held, turns.Save(columns={"error": error}, event=TurnEvent.FAIL))
        turn = (await client.get(f"/api/v1/turns/{sent['turn_id']}")).json()
        assert turn["state"] == "failed"
        assert set(turn["error"]) == {"code", "layer", "message"}
        assert "Fun-ASR" in turn["error"]["message"]
        assert "العربي" in turn["error"]["message"]

    async def test_cancelling_a_waiting_turn_is_done_at_once(self, client: httpx.AsyncClient) -> None:
        sent = await post(client)
        for _ in range(2):
            response = await client.delete(f"/api/v1/turns/{sent['turn_id']}")
            assert (response.status_code, response.json()["state"]) == (200, "cancelled")
            assert response.json()["progress"] is None

    async def test_cancelling_a_running_turn_asks_its_worker(
        self, client: httpx.AsyncClient, database: Database, queue: Queue
    ) -> None:
        sent = await post(client)
        held = await claimed(database, sent["turn_id"])

        async def work() -> None:
            async for turn_id in queue.listen(CANCELS):
                if turn_id == sent["turn_id"]:
                    await turns.save(database, held, turns.Save(event=TurnEvent.CANCEL))
                    return

        worker = asyncio.create_task(work())
        await asyncio.sleep(0.2)
        response = await client.delete(f"/api/v1/turns/{sent['turn_id']}")
        await worker
        assert (response.status_code, response.json()["state"]) == (200, "cancelled")

    async def test_a_worker_that_does_not_answer_leaves_a_202(
        self, client: httpx.AsyncClient, database: Database
    ) -> None:
        sent = await post(client)
        await claimed(database, sent["turn_id"])
        response = await client.delete(f"/api/v1/turns/{sent['turn_id']}")
        assert (response.status_code, response.json()["state"]) == (202, "running")

    @pytest.mark.parametrize("name", ["42", NOBODYS, "..%2f..%2fetc", "%00"])
    @pytest.mark.parametrize("kind", ["turns", "conversations"])
    async def test_unknown_ids_are_not_found(self, client: httpx.AsyncClient, kind: str, name: str) -> None:
        checked_error(await client.get(f"/api/v1/{kind}/{name}"), 404, "not_found")
        if kind == "turns":
            checked_error(await client.delete(f"/api/v1/{kind}/{name}"), 404, "not_found")


class TestCatalogue:
    async def test_avatars_have_names_voices_and_portraits(self, client: httpx.AsyncClient) -> None:
        found = (await client.get("/api/v1/avatars")).json()
        assert found["default"] == "layla"
        assert {avatar["id"] for avatar in found["avatars"]} >= {"layla", "omar", "sara"}
        voices = {voice["id"] for voice in (await client.get("/api/v1/voices")).json()["voices"]}
        for avatar in found["avatars"]:
            assert set(avatar["name"]) >= {"ar", "en"}
            assert avatar["voice"] in voices
            portrait = await client.get(avatar["portrait_url"])
            assert portrait.headers["content-type"] == "image/png"
            assert portrait.content.startswith(b"\x89PNG")

    @pytest.mark.parametrize("name", ["nobody", "..", "%2e%2e", "..%2f..%2fpyproject.toml", "layla%00"])
    async def test_no_portrait_lies_elsewhere(self, client: httpx.AsyncClient, name: str) -> None:
        checked_error(await client.get(f"/api/v1/avatars/{name}/portrait"), 404, "not_found")


class TestSurface:
    async def test_the_request_id_is_taken_or_given(self, client: httpx.AsyncClient) -> None:
        assert (await client.get("/healthz", headers={"X-Request-ID": "mine-1"})).headers["x-request-id"] == "mine-1"
        for bad in ("x" * 129, "tab\tid", "é"):
            given = (await client.get("/healthz", headers={"X-Request-ID": bad.encode()})).headers["x-request-id"]
            assert len(given) == 32

    async def test_errors_of_the_server_itself_are_error_objects_too(self, client: httpx.AsyncClient) -> None:
        checked_error(await client.get("/nowhere"), 404, "not_found")
        response = await client.put("/api/v1/messages")
        checked_error(response, 405, "method_not_allowed")
        assert response.headers["allow"] == "POST"

    async def test_errors_speak_the_language_that_was_asked_for(self, client: httpx.AsyncClient) -> None:
        arabic = checked_error(
            await client.get("/nowhere", headers={"Accept-Language": "fr, ar-SA;q=0.8"}), 404, "not_found"
        )
        assert "لا يوجد" in arabic
        response = await client.post("/api/v1/messages", json={"text": "", "language": "ar"})
        assert "فارغة" in checked_error(response, 422, "text_invalid")

    async def test_health_readiness_metrics_and_description(self, client: httpx.AsyncClient) -> None:
        assert (await client.get("/healthz")).json() == {"status": "ok"}
        assert (await client.get("/readyz")).json() == {"status": "ok", "postgres": "ok", "redis": "ok"}
        await post(client)
        text = (await client.get("/metrics")).text
        assert 'smarttalker_http_request_seconds_count{method="POST",route="/api/v1/messages",status="202"}' in text
        assert 'smarttalker_queue_depth{state="queued"}' in text
        paths = (await client.get("/openapi.json")).json()["paths"]
        assert {"/api/v1/messages", "/api/v1/turns/{turn_id}", "/api/v1/conversations/{conversation_id}"} <= set(paths)
        content = paths["/api/v1/messages"]["post"]["requestBody"]["content"]
        assert set(content) == {"application/json", "multipart/form-data"}
        assert (await client.get("/docs")).status_code == 200

    async def test_the_page_is_served_with_a_strict_policy(self, client: httpx.AsyncClient) -> None:
        for path in ("/", "/page/chat.js", "/page/chat.css"):
            response = await client.get(path)
            assert response.status_code == 200, path
            policy = response.headers["content-security-policy"]
            assert "default-src 'none'" in policy
            assert "unsafe" not in policy
        page = (await client.get("/")).text
        assert "<script>" not in page
        assert "style=" not in page
        checked_error(await client.get("/page/../app.py"), 404, "not_found")
        checked_error(await client.get("/page/%2e%2e/app.py"), 404, "not_found")

    async def test_a_port_that_is_taken_is_named(self, settings: Settings, base_url: str) -> None:
        from bot.app import bound_socket
        from core.errors import PortTaken

        taken = settings.model_copy(update={"port": int(base_url.rpartition(":")[2])})
        with pytest.raises(PortTaken, match=r"port \d+ of 127.0.0.1 is taken"):
            bound_socket(taken)

    async def test_intake_rings_the_bell(self, client: httpx.AsyncClient, queue: Queue) -> None:
        before = await queue.pool.zcard("smarttalker:render")
        await post(client)
        for _ in range(50):
            if await queue.pool.zcard("smarttalker:render") > before:
                return
            await asyncio.sleep(0.02)
        pytest.fail("no ring")


class TestCommands:
    """The chat's commands over HTTP: the reply is the turn's answer."""

    @pytest.mark.parametrize(("language", "word"), [("en", "/avatar"), ("ar", "/avatar")])
    async def test_help(self, client: httpx.AsyncClient, language: str, word: str) -> None:
        sent = await post(client, "/help", language=language)
        turn = (await client.get(f"/api/v1/turns/{sent['turn_id']}")).json()
        assert turn["state"] in ("rendered", "done")
        assert word in turn["text"]

    async def test_a_choice_counts_for_the_next_turn(self, client: httpx.AsyncClient) -> None:
        first = await post(client, "/avatar omar", language="en")
        second = await post(client, "hello", conversation_id=first["conversation_id"])
        turn = (await client.get(f"/api/v1/turns/{second['turn_id']}")).json()
        assert (turn["avatar"], turn["seq"]) == ("omar", 2)

    @pytest.mark.parametrize(
        ("command", "language", "said"),
        [
            ("/language auto", "ar", t("language-auto", "ar")),
            ("/language en", "ar", t("language-chosen", "en")),
        ],
    )
    async def test_it_answers_in_the_language_of_the_message(
        self, client: httpx.AsyncClient, command: str, language: str, said: str
    ) -> None:
        """Unless a language is chosen, and then in that."""
        first = await post(client, "hello", language="en")
        sent = await post(client, command, conversation_id=first["conversation_id"], language=language)
        turn = (await client.get(f"/api/v1/turns/{sent['turn_id']}")).json()
        assert turn["text"] == said

    async def test_a_repetition_runs_once(self, client: httpx.AsyncClient) -> None:
        key = {"Idempotency-Key": uuid.uuid4().hex}
        answers = [await client.post("/api/v1/messages", json={"text": "/mode text"}, headers=key) for _ in range(2)]
        assert answers[0].json() == answers[1].json()

    async def test_what_only_begins_with_a_slash_is_a_question(self, client: httpx.AsyncClient) -> None:
        sent = await post(client, "/etc is what?")
        assert (await client.get(f"/api/v1/turns/{sent['turn_id']}")).json()["state"] == "queued"

    async def test_in_a_conversation_that_is_not_there(self, client: httpx.AsyncClient) -> None:
        sent = await client.post("/api/v1/messages", json={"text": "/help", "conversation_id": str(uuid.uuid4())})
        checked_error(sent, 404, "not_found")
