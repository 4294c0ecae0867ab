"""The same by voice note on Telegram and WhatsApp, on simulators that are as strict as the platforms are."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import httpx

from core.errors import LayerError, SmartTalkerError, SurroundingsError
from simulators.phone import Message, Phone, PhoneRefused

PLATFORMS = ("telegram", "whatsapp")
PERSON = {"name": "Salma", "language": "en", "phone": "966500000007"}
ANSWER_S = 120.0
KINDS = ("text", "voice", "video")
FILMS = ("video", "video_note")


@dataclass(frozen=True)
class Talk:
    """What came back: the seconds after which each part was there, the answer's text, and the video's file."""

    video: Path
    text: str
    round: bool
    seconds: dict[str, float] = field(default_factory=dict)


def talk(url: str, note: Path, video: Path, tell: Callable[[str], None]) -> Talk:
    """Sends a voice note to a simulated platform as a person would; writes the video that comes back.

    tell: is called with each part's name. Raises LayerError where no video came, SurroundingsError where the platform
    refused something that our bot did.
    """
    try:
        return asyncio.run(_talk(url, note, video, tell))
    except httpx.HTTPError as error:
        raise SurroundingsError(f"the simulator does not answer: {error}") from error


async def _talk(url: str, note: Path, video: Path, tell: Callable[[str], None]) -> Talk:
    async with await Phone.of(url, **PERSON) as phone:
        began = time.monotonic()
        sent = await phone.say_voice(note)
        came: dict[str, Message] = {}
        seconds: dict[str, float] = {}
        try:
            for kind in KINDS:
                wanted = FILMS if kind == "video" else (kind,)
                came[kind] = await phone.wait_for(wanted, within_s=ANSWER_S, reply_to=sent)
                seconds[kind] = time.monotonic() - began
                tell(came[kind].kind)
            video.write_bytes(await phone.download(came["video"]))
            texts = [each.text for each in await phone.messages() if each.kind == "text" and each.text]
        except PhoneRefused:
            raise
        except SmartTalkerError as error:
            raise LayerError(f"{url}: {error}") from error
        await _check(url)
    # Whoever writes for the first time is welcomed before the answer.
    return Talk(video, texts[-1], came["video"].kind == "video_note", seconds)


async def _check(url: str) -> None:
    async with httpx.AsyncClient(base_url=url, trust_env=False) as client:
        refused = (await client.get("/control/refused")).json()["refused"]
    if refused:
        raise SurroundingsError(f"{url} refused {len(refused)} requests of the bot, the first: {refused[0]}")
