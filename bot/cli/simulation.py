"""`smarttalker up --simulate telegram,whatsapp,ollama`: platforms that run on this machine, with bots of their own on
them, and a language model's server without a model."""

from __future__ import annotations

import secrets
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import SecretStr

from core.errors import ConfigurationError
from core.settings import Settings
from core.supervisor import address, free_port

LOOPBACK = "127.0.0.1"


@dataclass(frozen=True)
class Simulation:
    """settings: with the simulated platforms' credentials and addresses in place of any others. commands: of the
    simulators' processes. urls: where each answers; `/control` there tells what people do and shows what they got."""

    settings: Settings
    commands: Mapping[str, Sequence[str]]
    urls: Mapping[str, str]


def parse(names: str) -> list[str]:
    """The platforms of "telegram,whatsapp". Raises ConfigurationError for one that has no simulator."""
    wanted = list(dict.fromkeys(name.strip().lower() for name in names.split(",") if name.strip()))
    unknown = [name for name in wanted if name not in _SIMULATED]
    if unknown:
        raise ConfigurationError(f"--simulate knows {', '.join(_SIMULATED)}, not {', '.join(unknown)}")
    return wanted


def simulate(settings: Settings, platforms: Sequence[str]) -> Simulation:
    """A free port for each platform, and for the web process where it has none. Webhooks go to this machine."""
    if not platforms:
        return Simulation(settings, {}, {})
    port = settings.port or free_port(settings.host)
    settings = settings.model_copy(update={"port": port})
    settings = settings.model_copy(update={"public_url": address(settings)})
    commands, urls = {}, {}
    for name in platforms:
        own = free_port(LOOPBACK)
        urls[name] = f"http://{LOOPBACK}:{own}"
        changes, options = _SIMULATED[name](settings, urls[name])
        settings = settings.model_copy(update=changes)
        commands[f"{name} simulator"] = [
            sys.executable,
            "-m",
            "simulators",
            name,
            "--quiet",
            "--port",
            str(own),
            *options,
        ]
    return Simulation(settings, commands, urls)


def _account(digits: int) -> str:
    """A new one each time: a simulator begins anew, and its numbers must not be taken for those of the last one."""
    return str(secrets.randbelow(9 * 10 ** (digits - 1)) + 10 ** (digits - 1))


def _telegram(settings: Settings, url: str) -> tuple[dict[str, Any], list[str]]:
    token = f"{_account(9)}:{secrets.token_hex(16)}"
    changes = {
        "telegram_token": SecretStr(token),
        "telegram_api_url": url,
        "telegram_webhook_secret": SecretStr(secrets.token_hex(16)),
    }
    return changes, ["--token", token]


def _whatsapp(settings: Settings, url: str) -> tuple[dict[str, Any], list[str]]:
    phone_id = _account(15)
    secret = {name: secrets.token_hex(16) for name in ("token", "app_secret", "verify_token")}
    changes: dict[str, Any] = {f"whatsapp_{name}": SecretStr(value) for name, value in secret.items()}
    changes |= {"whatsapp_phone_id": phone_id, "whatsapp_api_url": url}
    options = [text for name, value in secret.items() for text in (f"--{name.replace('_', '-')}", value)]
    webhook = f"{settings.public_url}/webhooks/whatsapp"
    return changes, [*options, "--phone-id", phone_id, "--webhook-url", webhook]


def _ollama(settings: Settings, url: str) -> tuple[dict[str, Any], list[str]]:
    """Whatever the profile, the language model is asked there, at the speed of a middling card."""
    changes = {"ollama_url": url, "llm": "ollama"}
    return changes, ["--model", settings.llm_model, "--card-mb", "49140", "--token-s", "0.02"]


_SIMULATED: Mapping[str, Callable[[Settings, str], tuple[dict[str, Any], list[str]]]] = {
    "telegram": _telegram,
    "whatsapp": _whatsapp,
    "ollama": _ollama,
}
