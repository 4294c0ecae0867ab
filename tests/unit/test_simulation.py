"""`smarttalker up --simulate`: whose credentials, and which processes."""

from __future__ import annotations

import argparse
from urllib.parse import urlsplit

import pytest

from bot.cli.simulation import parse, simulate
from core.errors import ConfigurationError
from core.kinds import Layer
from core.settings import Settings
from simulators.ollama.command import add_options


@pytest.mark.parametrize(
    ("given", "names"),
    [("", []), ("telegram", ["telegram"]), (" WhatsApp , telegram,telegram", ["whatsapp", "telegram"])],
)
def test_names(given: str, names: list[str]) -> None:
    assert parse(given) == names


def test_an_unknown_name() -> None:
    with pytest.raises(ConfigurationError, match="knows telegram, whatsapp, ollama, not signal"):
        parse("telegram,signal")


def test_simulated_platforms_take_the_place_of_real_ones() -> None:
    real = Settings(_env_file=None, telegram_token="1:real", port=0)
    simulation = simulate(real, ["telegram", "whatsapp"])
    settings = simulation.settings
    assert settings.telegram_token is not None
    assert settings.telegram_token.get_secret_value() != "1:real"
    assert settings.telegram_api_url == simulation.urls["telegram"]
    assert set(settings.channels) == {"telegram", "whatsapp"}
    ports = {settings.port, *(urlsplit(url).port for url in simulation.urls.values())}
    assert len(ports) == 3
    assert settings.public_url == f"http://127.0.0.1:{settings.port}"
    assert len(simulation.commands) == 2


def test_each_simulation_has_accounts_of_its_own() -> None:
    """The database remembers the events of the last one, whose numbers begin as these do."""
    ones, others = (simulate(Settings(_env_file=None), ["telegram", "whatsapp"]).settings.channels for _ in range(2))
    assert not set(ones.values()) & set(others.values())


def test_without_any_nothing_changes() -> None:
    real = Settings(_env_file=None, telegram_token="1:real")
    assert simulate(real, []).settings is real


def test_a_simulated_model_is_asked_whatever_the_profile() -> None:
    simulation = simulate(Settings(_env_file=None, ollama_url="http://real:11434", llm_model="qwen3:8b"), ["ollama"])
    settings = simulation.settings
    assert settings.ollama_url == simulation.urls["ollama"]
    assert settings.engine(Layer.LLM, "ar") == settings.engine(Layer.LLM) == "ollama"
    assert settings.channels == {}
    command = simulation.commands["ollama simulator"]
    parser = argparse.ArgumentParser()
    add_options(parser)
    known, others = parser.parse_known_args(command[command.index("ollama") + 1 :])
    assert known.model == ["qwen3:8b"]
    assert others == ["--quiet", "--port", str(urlsplit(settings.ollama_url).port)]
