"""The command line, called as a person calls it."""

from __future__ import annotations

import os
import re
import shutil
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from bot.cli.adding import RESEMBLES, WORDS_TO_COME
from core.embedded import find_place
from core.i18n import t
from core.settings import HOME, PROFILES
from tests.helpers import query
from tests.messengers import CHANNELS, CREDENTIALS, platform

COMMANDS = ("up", "bot", "courier", "render", "demo", "migrate", "models", "avatar", "voice", "bench", "doctor")
NOBODY = "postgresql://nobody:hidden-word@127.0.0.1:1/none"


def smarttalker(*arguments: str, **settings: str) -> subprocess.CompletedProcess[str]:
    """Runs the command from a folder without an .env, with the given settings alone."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("SMARTTALKER_")}
    environment |= {f"SMARTTALKER_{name.upper()}": value for name, value in settings.items()}
    return subprocess.run(
        [sys.executable, "-m", "bot.cli", *arguments], capture_output=True, text=True, stdin=subprocess.DEVNULL,
        env={**environment, "PYTHONPATH": str(HOME), "COLUMNS": "200"}, cwd="/", timeout=120, check=False,
    )  # fmt: skip


def test_help_names_every_command() -> None:
    shown = smarttalker("--help").stdout
    assert all(f" {name} " in shown for name in COMMANDS)


def test_version() -> None:
    assert smarttalker("--version").stdout == "smarttalker 0.1.0\n"


@pytest.mark.parametrize(
    ("command", "settings", "message"),
    [
        ("up", {"port": "high"}, "error: wrong setting: SMARTTALKER_PORT: Input should be a valid integer"),
        ("up", {"data_dir": "/proc/none"}, "error: /proc/none: No such file or directory; see SMARTTALKER_DATA_DIR"),
        ("up", {"host": "192.0.2.1"}, "error: SMARTTALKER_HOST 192.0.2.1: Cannot assign requested address"),
        ("migrate", {"database_url": NOBODY, "redis_url": "redis://127.0.0.1:1"}, "error: PostgreSQL does not answer"),
        ("bench --gpu --device cuda:99", {}, "error: SMARTTALKER_DEVICE=cuda:99"),
        ("bench --device cpu", {}, "error: --device goes with --gpu"),
        ("avatar rig ../../etc", {}, "error: no avatar of that name"),
        ("avatar rig nobody", {}, "error: no avatar is called nobody"),
    ],
)
def test_what_is_wrong_is_one_line_and_exit_status_one(command: str, settings: dict[str, str], message: str) -> None:
    result = smarttalker(*command.split(), **{"port": "0", **settings})
    assert result.returncode == 1
    assert result.stderr.startswith(message)
    assert result.stderr.count("\n") == 1
    assert "hidden-word" not in result.stderr
    assert result.stdout == ""


def test_debug_shows_where_it_happened() -> None:
    result = smarttalker("avatar", "rig", "nobody", log_level="debug")
    assert result.stderr.startswith("Traceback")
    assert result.stderr.endswith("error: no avatar is called nobody\n")


@pytest.mark.parametrize("command", ["up", "bot"])
def test_a_taken_port_is_named_before_anything_starts(command: str, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = str(server.getsockname()[1])
        result = smarttalker(command, port=port, data_dir=str(tmp_path / "data"))
    assert result.returncode == 1
    assert f"port {port} is taken" in result.stderr
    assert not (tmp_path / "data").exists()


def test_migrate_makes_the_tables_of_a_given_database(database_url: str) -> None:
    result = smarttalker("migrate", database_url=database_url, redis_url="redis://127.0.0.1:1")
    assert (result.returncode, result.stderr) == (0, "")
    assert query(database_url, "SELECT count(*) FROM information_schema.tables WHERE table_name = 'turns'") == 1


def test_migrate_makes_an_embedded_database(tmp_path: Path) -> None:
    result = smarttalker("migrate", data_dir=str(tmp_path / "data"))
    place = find_place(tmp_path / "data")
    assert (place.folder / "postgres" / "PG_VERSION").exists()
    assert not (place.folder / "postgres" / "postmaster.pid").exists()
    place.remove()
    assert (result.returncode, result.stderr) == (0, "")


@pytest.mark.parametrize("profile", PROFILES)
def test_models_says_what_is_missing(profile: str, tmp_path: Path) -> None:
    result = smarttalker("models", "list", profile=profile, models_dir=str(tmp_path), ollama_url="http://127.0.0.1:1")
    missing = [line for line in result.stdout.splitlines() if line.startswith("missing: ")]
    assert (result.returncode, len(missing)) == {"cpu": (0, 0), "gpu": (1, 7)}[profile]


def test_the_lists_name_what_is_in_the_repository() -> None:
    avatars = smarttalker("avatar", "list").stdout
    voices = smarttalker("voice", "list").stdout
    assert all(folder.name in avatars for folder in (HOME / "avatars").iterdir() if folder.is_dir())
    assert all(folder.name in voices for folder in (HOME / "voices").iterdir() if folder.is_dir())


def test_doctor_is_content_here(tmp_path: Path) -> None:
    result = smarttalker("doctor", data_dir=str(tmp_path), port="0")
    assert (result.returncode, "✗" in result.stdout) == (0, False), result.stdout
    assert list(tmp_path.iterdir()) == []


def test_doctor_looks_at_given_servers(database_url: str, redis_url: str, tmp_path: Path) -> None:
    result = smarttalker("doctor", data_dir=str(tmp_path), port="0", database_url=database_url, redis_url=redis_url)
    assert result.returncode == 0, result.stdout
    assert result.stdout.count("answers") >= 2


def test_doctor_names_everything_that_is_wrong(tmp_path: Path) -> None:
    shutil.copytree(HOME / "avatars" / "layla", tmp_path / "avatars" / "layla")
    (tmp_path / "avatars" / "layla" / "persona.toml").write_text("role = [")
    with socket.create_server(("127.0.0.1", 0)) as server:
        result = smarttalker(
            "doctor", profile="gpu", data_dir=str(tmp_path), port=str(server.getsockname()[1]), device="cuda:99",
            database_url=NOBODY, redis_url="redis://127.0.0.1:1", models_dir=str(tmp_path),
            ollama_url="http://127.0.0.1:1",
        )  # fmt: skip
    wrong = [line.split()[1] for line in result.stdout.splitlines() if line.startswith("✗")]
    assert result.returncode == 1
    assert wrong == ["port", "PostgreSQL", "Redis", "persona", *["engine"] * 7, "card"]
    told = " ".join(result.stdout.split())
    assert "persona.toml:1: is no TOML" in told
    assert "smarttalker models fetch echomimic-v2 --accept-licence" in told
    assert "✓ stand-in video musetalk is not ready: the weights musetalk are not in" in told
    assert "hidden-word" not in result.stdout
    assert "Traceback" not in result.stdout + result.stderr


@pytest.fixture
def nvidia_smi(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Puts a program of that name and with those commands first on PATH."""

    def put(commands: str) -> None:
        program = tmp_path / "bin" / "nvidia-smi"
        program.parent.mkdir()
        program.write_text(f"#!/bin/sh\n{commands}\n")
        program.chmod(0o755)
        monkeypatch.setenv("PATH", f"{program.parent}:{os.environ['PATH']}")

    return put


RTX_4090 = "echo '0, NVIDIA GeForce RTX 4090, 24564, 23011'"
GPU = {"profile": "gpu", "emotion": "keywords", "tts": "espeak", "video": "puppet", "upscale": "lanczos"}


@pytest.mark.parametrize(
    ("card", "settings", "mark", "said"),
    [
        (RTX_4090, GPU, "✓", "RTX 4090, 24,564 MiB, 23,011 of them free now: fits, at most 13,748 MiB at once"),
        (RTX_4090, {**GPU, "llm_model": "qwen2.5:32b"}, "✓", "Not all at once: in each turn some engines leave"),
        (RTX_4090, {**GPU, "gpu_mb": "9000"}, "✗", "the card has 9,000. Set SMARTTALKER_LLM_MODEL=qwen2.5:7b."),
        ("exit 9", GPU, "✗", "no card is here, `nvidia-smi` lists none; see to that, or set SMARTTALKER_DEVICE=cpu"),
        (RTX_4090, {}, "", ""),
    ],
    ids=["all stays", "takes turns", "too small", "none", "none is wanted"],
)
def test_doctor_plans_the_card_at_hand(
    card: str, settings: dict[str, str], mark: str, said: str, nvidia_smi: Callable[[str], None], tmp_path: Path
) -> None:
    nvidia_smi(card)
    elsewhere = {"models_dir": str(tmp_path), "ollama_url": "http://127.0.0.1:1"}
    told = smarttalker("doctor", data_dir=str(tmp_path / "data"), port="0", **elsewhere, **settings).stdout
    found = [line for line in told.splitlines() if line[3:8] == "card "]
    assert [line[0] for line in found] == [*mark]
    assert said in " ".join(told.split())


@pytest.mark.parametrize("channel", CHANNELS)
def test_doctor_asks_each_platform_who_we_are(tmp_path: Path, channel: str) -> None:
    with platform(channel, "http://127.0.0.1:9") as url:
        settings = {**CREDENTIALS[channel], f"{channel}_api_url": url, "public_url": "https://talk.example.org"}
        good = smarttalker("doctor", data_dir=str(tmp_path), port="0", **settings)
        wrong = smarttalker("doctor", data_dir=str(tmp_path), port="0", **settings | {f"{channel}_token": "1:other"})
    (line,) = (line for line in good.stdout.splitlines() if f" {channel} " in line)
    assert "✓" in line
    assert f"https://talk.example.org/webhooks/{channel}" in line
    assert any("✗" in line and f" {channel} " in line for line in wrong.stdout.splitlines())
    assert "1:other" not in wrong.stdout + wrong.stderr


def test_doctor_stops_at_wrong_settings() -> None:
    result = smarttalker("doctor", lease_s="5")
    assert result.returncode == 1
    assert "SMARTTALKER_HEARTBEAT_S must be smaller" in result.stdout


def test_an_avatar_and_a_voice_are_added_and_removed(tmp_path: Path, migrated_url: str, redis_url: str) -> None:
    photo, recording = HOME / "avatars" / "omar" / "portrait.png", HOME / "voices" / "omar" / "reference.wav"
    servers = {"database_url": migrated_url, "redis_url": redis_url, "data_dir": str(tmp_path)}
    spoken = smarttalker("voice", "add", str(recording), "--name-ar", "منى", "--consent", **servers, asr="fake")
    assert spoken.stdout.startswith("voice mna is made: "), spoken.stderr
    assert spoken.stdout.splitlines()[1:] == [t("voice-note-short", "en"), WORDS_TO_COME, RESEMBLES]
    english = HOME / "voices" / "omar" / "reference.en.wav"
    words = (HOME / "voices" / "omar" / "transcript.en.txt").read_text(encoding="utf-8")
    said = ("--to", "mna", "--consent", "--language", "en", "--transcript", words)
    more = smarttalker("voice", "add", str(english), *said, **servers)
    assert more.stdout.startswith("voice mna has one more recording: "), more.stderr
    assert t("voice-note-short", "en") in more.stdout
    listed = smarttalker("voice", "list", **servers).stdout
    assert re.search(r"^mna .* und \(no words\), en ", listed, re.MULTILINE), listed
    shown = smarttalker("avatar", "add", str(photo), "--name", "Mona", "--voice", "mna", **servers)
    assert shown.stdout.startswith("avatar mona is made: "), shown.stderr
    assert " mona " in "".join(f" {line}" for line in smarttalker("avatar", "list", **servers).stdout.splitlines())
    assert smarttalker("doctor", **servers, port="0").returncode == 0
    assert smarttalker("avatar", "remove", "mona", **servers).stdout == "avatar mona is removed\n"
    assert smarttalker("voice", "remove", "mna", **servers).stdout == "voice mna is removed\n"
    again = smarttalker("avatar", "add", str(photo), "--name", "Mona", **servers)
    assert again.stdout.startswith("avatar mona-2 is made: "), again.stderr
    acts = "SELECT string_agg(act, ' ' ORDER BY id) FROM audit WHERE actor = 'command line'"
    assert query(migrated_url, acts).startswith(
        "voice-consent voice-add voice-added voice-consent voice-extend voice-extended avatar-add avatar-added "
        "avatar-remove"
    )
    assert not list((tmp_path / "media").glob("*"))


@pytest.mark.parametrize(
    ("command", "message"),
    [
        (["avatar", "add", str(HOME / "README.md"), "--name", "X"], "error: This is not a picture that can be opened"),
        (["avatar", "add", "/dev/null/x", "--name", "X"], "error: /dev/null/x is not there"),
        (["avatar", "add", str(HOME / "README.md")], "error: a name has 1 to 60 printable characters"),
        (["avatar", "add", str(HOME / "README.md"), "--name", "X", "--voice", "who"], "error: no voice is called who"),
        (["avatar", "remove", "layla"], "error: the avatar layla is shipped with SmartTalker"),
        (["voice", "add", str(HOME / "README.md"), "--name", "X"], "error: a voice needs its speaker's consent"),
        (
            ["voice", "add", str(HOME / "README.md"), "--name", "X", "--consent"],
            "error: The recording could not be opened",
        ),
        (
            ["voice", "add", str(HOME / "README.md"), "--to", "omar", "--consent"],
            "error: the voice omar is shipped with SmartTalker",
        ),
        (
            ["voice", "add", str(HOME / "README.md"), "--name", "X", "--consent", "--language", "english"],
            "error: a language is told by its two letters",
        ),
        (["voice", "add", str(HOME / "README.md"), "--consent"], "error: a new voice needs a name: --name, --name-ar"),
        (["voice", "add", str(HOME / "docs"), "--name", "X", "--consent"], f"error: {HOME / 'docs'} is not a file"),
        (["voice", "add", "{large}", "--name", "X", "--consent"], "error: {large} has 200 MB: at most 17 MB"),
        (["voice", "add", "{empty}", "--name", "X", "--consent"], "error: {empty} is empty"),
        (["voice", "remove", "nobody"], "error: no voice is called nobody"),
    ],
)
def test_adding_and_removing_say_what_is_wrong(
    tmp_path: Path, migrated_url: str, redis_url: str, command: list[str], message: str
) -> None:
    files = {"large": tmp_path / "large", "empty": tmp_path / "empty"}
    for name, path in files.items():
        path.touch()
        os.truncate(path, {"large": 200_000_000, "empty": 0}[name])
    line = [part.format(**files) for part in command]
    result = smarttalker(*line, data_dir=str(tmp_path), database_url=migrated_url, redis_url=redis_url)
    assert result.returncode == 1
    assert result.stderr.startswith(message.format(**files))
    assert result.stderr.count("\n") == 1
