"""The demo from start to end."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Callable
from pathlib import Path

from bot.cli.demo import asking, checking, messengers, screen
from bot.cli.demo.client import Client, Turn
from bot.cli.demo.messengers import Talk, talk
from bot.cli.demo.stage import Stage
from bot.cli.serve import stopped_by_signals
from core.catalogue import Catalogue
from core.errors import ASRError, StorageError, SurroundingsError
from core.settings import HOME, Settings, read_settings
from worker.engines.video.puppet.drawing import native

OUTPUT = HOME / "outputs" / "demo"
GIVING_UP_S = 10.0
"""A supervisor that gives up has stopped its processes by then."""


def main(output: Path) -> None:
    """Raises SmartTalkerError or OSError with the reason; everything is stopped by then, also after Ctrl-C."""
    settings = read_settings()
    with stopped_by_signals():
        Demo(settings, output).run()


class Demo:
    """Two questions on the web, asked side by side in conversations of their own; then one through each messenger."""

    def __init__(self, settings: Settings, output: Path) -> None:
        self._settings = settings
        self._output = output
        self._catalogue = Catalogue(settings.data_dir, HOME)
        self._screen = screen.Screen()

    def run(self) -> None:
        began = time.monotonic()
        self._make_room()
        # Any free port of the loopback: `make run` may hold its own, and nobody else is to be let in.
        environment = {**os.environ, "SMARTTALKER_HOST": "127.0.0.1", "SMARTTALKER_PORT": "0"}
        with Stage(self._output / "log.jsonl", environment, platforms=messengers.PLATFORMS) as stage:
            with self._screen:
                turns = self._converse(stage)
                talks = self._message(stage)
            self._show(turns)
            self._show_talks(talks)
            self._screen.say("stopping")
        self._screen.say(f"done in {time.monotonic() - began:.1f} s")

    def _make_room(self) -> None:
        """Raises StorageError where an earlier demo's files are somebody else's, or the disk takes none."""
        try:
            if self._output.exists():
                shutil.rmtree(self._output)
            self._output.mkdir(parents=True)
        except OSError as error:
            raise StorageError(f"{self._output} can't be made anew ({error.strerror}): remove it") from error

    def _converse(self, stage: Stage) -> dict[str, Turn]:
        self._screen.say("starting PostgreSQL, Redis and the three processes")
        stage.start()
        spoken = asking.words(self._catalogue, asking.BY_VOICE)
        note = asking.speak(self._catalogue, spoken, asking.BY_VOICE.language, self._output / "question.ogg")
        self._screen.say(f"voice note spoken: “{spoken}”")
        address = stage.address()
        self._screen.say(f"ready at {address}")
        client = Client(address, self._settings)
        try:
            return self._ask(client, note)
        except SurroundingsError:
            # The web process goes first when the supervisor gives up; the reason is what made it give up.
            stage.check(GIVING_UP_S)
            raise
        finally:
            client.close()
            stage.check()

    def _message(self, stage: Stage) -> dict[str, Talk]:
        """A voice note through each simulated platform."""
        asked = asking.BY_MESSENGER
        spoken = asking.words(self._catalogue, asked)
        note = asking.speak(self._catalogue, spoken, asked.language, self._output / "messenger.ogg")
        talks = {}
        for name, url in stage.urls.items():
            self._screen.say(f"sent to the simulator of {name}: “{spoken}”")
            try:
                talks[name] = talk(url, note, self._output / f"{name}.mp4", self._teller(name))
            finally:
                stage.check()
        return talks

    def _teller(self, name: str) -> Callable[[str], None]:
        return lambda part: self._screen.say(f"{name}: {part}")

    def _ask(self, client: Client, note: Path) -> dict[str, Turn]:
        text, by_text, by_voice = asking.words(self._catalogue, asking.BY_TEXT), asking.BY_TEXT, asking.BY_VOICE
        sent = {
            by_text.name: client.send_text(text, avatar=by_text.avatar, language=by_text.language),
            by_voice.name: client.send_voice(note, avatar=by_voice.avatar, language=by_voice.language),
        }
        self._screen.say(f"sent in Arabic: “{text}”, and in English: {note.name}")
        shown = {name: self._screen.follow(name) for name in sent}
        turns = {}
        for name, turn_id in sent.items():
            turn = turns[name] = client.follow(turn_id, shown[name])
            self._keep(client, name, turn)
            self._screen.say(f"{name}: answered after {turn['timings_ms']['total'] / 1000:.1f} s")
        return turns

    def _keep(self, client: Client, name: str, turn: Turn) -> None:
        """The video, and question and answer as text. Raises ASRError where the voice note was not understood."""
        if not turn["transcript"]:
            raise ASRError(f"the voice note was not understood; the answer was: {turn['text']}")
        client.fetch(turn["video_url"], self._output / f"{name}.mp4")
        written = f"{turn['transcript']}\n\n{turn['text']}\n"
        (self._output / f"{name}.txt").write_text(written, encoding="utf-8")

    def _show(self, turns: dict[str, Turn]) -> None:
        """Raises VideoError where a video is not what it should be."""
        films = {name: checking.examine(self._output / f"{name}.mp4") for name in turns}
        self._screen.table(screen.times(turns))
        if any(turn["engines"].get("video") == "puppet" for turn in turns.values()):
            self._screen.say(f"the puppet draws with {native.described()}")
        for name, turn in turns.items():
            video = self._output / f"{name}.mp4"
            lines = {"question": turn["transcript"], "emotion": turn["emotion"], "answer": turn["text"]}
            self._screen.block(name, lines | {"video": screen.described(video, films[name])})

    def _show_talks(self, talks: dict[str, Talk]) -> None:
        """Raises VideoError where a video is not what it should be."""
        for name, came in talks.items():
            film = checking.examine(came.video)
            shape = "a round video note" if came.round else "a video"
            times = ", ".join(f"{part} after {seconds:.1f} s" for part, seconds in came.seconds.items())
            lines = {"answer": came.text, "came": f"{times}, as {shape}"}
            self._screen.block(name, lines | {"video": screen.described(came.video, film)})
