"""Settings: where they come from, what is refused, and that the example tells of each."""

from __future__ import annotations

import itertools
import re
from pathlib import Path

import pytest

from core.errors import ConfigurationError
from core.kinds import Layer
from core.settings import BY_LANGUAGE, HOME, PROFILES, Settings, engines_of_profile, read_settings

EXAMPLE = HOME / ".env.example"


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder without an .env."""
    monkeypatch.chdir(tmp_path)


def test_the_example_tells_of_each_setting_in_order_with_a_comment() -> None:
    lines = EXAMPLE.read_text(encoding="utf-8").splitlines()
    names = [line.partition("=")[0] for line in lines if line.startswith("SMARTTALKER_")]
    assert names == [f"SMARTTALKER_{name.upper()}" for name in Settings.model_fields]
    for before, line in itertools.pairwise(lines):
        assert not line.startswith("SMARTTALKER_") or re.match(r"# \S.+", before), line


def test_the_examples_values_are_the_defaults() -> None:
    assert Settings(_env_file=EXAMPLE) == Settings(_env_file=None)


def test_the_environment_wins_over_the_file_and_empty_counts_as_unset(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / ".env").write_text("SMARTTALKER_PORT=9001\nSMARTTALKER_HOST=::1\nSMARTTALKER_LEASE_S=\nOTHER=1\n")
    monkeypatch.setenv("SMARTTALKER_PORT", "9002")
    monkeypatch.setenv("SMARTTALKER_HOST", "")
    settings = read_settings()
    assert (settings.port, settings.host, settings.lease_s) == (9002, "::1", 30.0)


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("PORT", "http", "SMARTTALKER_PORT: .*integer"),
        ("PORT", "70000", "SMARTTALKER_PORT: .*65535"),
        ("PROFILE", "tpu", "SMARTTALKER_PROFILE: .*'cpu' or 'gpu'"),
        ("LEASE_S", "0", "SMARTTALKER_LEASE_S: .*greater than 0"),
        ("VIDEO_SIZE", "2", "SMARTTALKER_VIDEO_SIZE: 2 pixels show nothing: at least 64"),
        ("VIDEO_SIZE", "513", "SMARTTALKER_VIDEO_SIZE: .*multiple of 2"),
        ("DEADLINE_S", "inf", "SMARTTALKER_DEADLINE_S: .*finite"),
        ("ECHOMIMIC", "fast", "SMARTTALKER_ECHOMIMIC: .*'accelerated' or 'normal'"),
        ("HEARTBEAT_S", "30", "SMARTTALKER_HEARTBEAT_S must be smaller"),
    ],
)
def test_a_wrong_setting_is_named(name: str, value: str, message: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(f"SMARTTALKER_{name}", value)
    with pytest.raises(ConfigurationError, match=message):
        read_settings()


def test_home_is_known_in_paths(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / ".env").write_text("SMARTTALKER_COSYVOICE_REPO=~/code/voice\nSMARTTALKER_MODELS_DIR=~/models\n")
    settings = Settings(_env_file=tmp_path / ".env")
    assert settings.cosyvoice_repo == str(tmp_path / "code" / "voice")
    assert settings.models_dir == tmp_path / "models"
    assert Settings(_env_file=None).cosyvoice_repo == ""


def test_secrets_do_not_show() -> None:
    assert "k-12345" not in repr(Settings(_env_file=None, api_key="k-12345", telegram_token="k-12345"))


@pytest.mark.parametrize(
    ("values", "language", "name"),
    [
        ({}, None, "espeak"),
        ({}, "ar", "espeak"),
        ({"tts": "fake"}, "ar", "fake"),
        ({"tts_ar": "voxcpm"}, "ar", "voxcpm"),
        ({"tts": "fake", "tts_ar": "voxcpm"}, "en", "fake"),
        ({"tts_ar": "voxcpm"}, None, "espeak"),
        ({"profile": "gpu"}, "en", "cosyvoice"),
        ({"profile": "gpu"}, "ar", "voxcpm"),
        ({"profile": "gpu", "tts": "espeak"}, "ar", "espeak"),
        ({"tts_ar": "voxcpm"}, "fr", "espeak"),
    ],
)
def test_the_language_wins_over_the_layer_and_the_layer_over_the_profile(
    values: dict[str, str], language: str | None, name: str
) -> None:
    assert Settings(_env_file=None, **values).engine(Layer.TTS, language) == name


def test_a_profile_names_an_engine_for_each_layer() -> None:
    assert all(set(engines) == set(Layer) for engines in PROFILES.values())
    assert set(BY_LANGUAGE) == set(PROFILES)
    assert engines_of_profile("gpu", Layer.TTS) == ["cosyvoice", "voxcpm"]
    assert engines_of_profile("cpu", Layer.TTS) == ["espeak"]


def test_the_media_key_is_made_once_and_private(tmp_path: Path) -> None:
    first, second = (Settings(_env_file=None, data_dir=tmp_path / "data").media_key for _ in range(2))
    assert first == second
    assert len(first) == 32
    (file,) = (tmp_path / "data").iterdir()
    assert file.stat().st_mode & 0o777 == 0o600


WHATSAPP = {"whatsapp_phone_id": "1", "whatsapp_token": "t", "whatsapp_app_secret": "s", "whatsapp_verify_token": "v"}


@pytest.mark.parametrize(
    ("given", "named"),
    [
        *(({k: v for k, v in WHATSAPP.items() if k != name}, name.upper()) for name in WHATSAPP),
        ({"telegram_token": "no token"}, "TELEGRAM_TOKEN"),
        ({"telegram_webhook_secret": "s", "public_url": "https://a.example"}, "TELEGRAM_TOKEN is missing"),
        ({"telegram_webhook_secret": "s", "telegram_token": "1:a"}, "PUBLIC_URL"),
        ({"telegram_webhook_secret": "ä", "telegram_token": "1:a", "public_url": "https://a"}, "1 to 256 letters"),
        ({"admins": "somebody"}, "“somebody” is not channel:id"),
    ],
)
def test_half_a_channel_refuses_to_start(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, given: dict[str, str], named: str
) -> None:
    monkeypatch.chdir(tmp_path)
    for name, value in given.items():
        monkeypatch.setenv(f"SMARTTALKER_{name.upper()}", value)
    with pytest.raises(ConfigurationError, match=named):
        read_settings()


def test_a_channel_is_on_when_its_credentials_are_there() -> None:
    assert Settings(_env_file=None).channels == {}
    settings = Settings(_env_file=None, telegram_token="12:ab", admins=" telegram:7, whatsapp:+966 ", **WHATSAPP)
    assert settings.channels == {"telegram": "12", "whatsapp": "1"}
    assert settings.admin_ids == {("telegram", "7"), ("whatsapp", "966")}
