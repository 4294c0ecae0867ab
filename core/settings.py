"""Every setting, read once by a composition root. `SMARTTALKER_<NAME>` in the environment, or in `.env`."""

from __future__ import annotations

import re
import secrets
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

from pydantic import Field, SecretStr, ValidationError, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from core.errors import ConfigurationError
from core.kinds import LANGUAGES, Layer

HOME = Path(__file__).resolve().parent.parent
"""The checkout: avatars/, voices/, migrations/ and models/ lie here."""

PROFILES: dict[str, dict[Layer, str]] = {
    "cpu": {
        Layer.ASR: "pocketsphinx",
        Layer.EMOTION: "keywords",
        Layer.LLM: "answers",
        Layer.TTS: "espeak",
        Layer.VIDEO: "puppet",
        Layer.UPSCALE: "lanczos",
    },
    "gpu": {
        Layer.ASR: "funasr",
        Layer.EMOTION: "transformers",
        Layer.LLM: "ollama",
        Layer.TTS: "cosyvoice",
        Layer.VIDEO: "echomimic",
        Layer.UPSCALE: "realesrgan",
    },
}
"""One engine a layer."""
BY_LANGUAGE: dict[str, dict[str, str]] = {"cpu": {}, "gpu": {"tts_ar": "voxcpm"}}
"""Where a profile has another engine for one language: CosyVoice speaks no Arabic."""


CANVAS = {"cpu": 512, "gpu": 1080}
"""Pixels a side of a profile's videos: what two cores draw in time, and what a person's telephone shows whole."""
LEAST_SIZE = 64
"""Pixels a side; in smaller ones no engine finds a face."""


def engines_of_profile(profile: str, layer: Layer) -> list[str]:
    """Those that it names for a layer in any language, each once."""
    by_language = (BY_LANGUAGE[profile].get(f"{layer}_{language}") for language in LANGUAGES)
    return list(dict.fromkeys([PROFILES[profile][layer], *filter(None, by_language)]))


_WHATSAPP = ("whatsapp_phone_id", "whatsapp_token", "whatsapp_app_secret", "whatsapp_verify_token")
_TELEGRAM_TOKEN = re.compile(r"\d+:[A-Za-z0-9_-]+")
_TELEGRAM_SECRET = re.compile(r"[A-Za-z0-9_-]{1,256}")
"""As the Bot API's setWebhook takes it."""
_ADMIN = re.compile(r"[a-z]+\s*:\s*\+?[\w.-]+")


class Settings(BaseSettings):
    """The names are the environment's without `SMARTTALKER_`; an empty URL means the embedded server."""

    model_config = SettingsConfigDict(
        env_prefix="SMARTTALKER_", env_file=".env", env_ignore_empty=True, extra="ignore", frozen=True
    )

    database_url: str = ""
    redis_url: str = ""
    data_dir: Path = HOME / ".data"
    host: str = "127.0.0.1"
    port: int = Field(default=8080, ge=0, le=65535)
    public_url: str = ""
    api_key: SecretStr | None = None
    admin_key: SecretStr | None = None
    cors_origins: str = ""
    admins: str = ""
    log_level: Literal["debug", "info", "warning", "error"] = "info"

    profile: Literal["cpu", "gpu"] = "cpu"
    asr: str = ""
    asr_ar: str = ""
    asr_en: str = ""
    emotion: str = ""
    emotion_ar: str = ""
    emotion_en: str = ""
    llm: str = ""
    llm_ar: str = ""
    llm_en: str = ""
    tts: str = ""
    tts_ar: str = ""
    tts_en: str = ""
    video: str = ""
    video_ar: str = ""
    video_en: str = ""
    upscale: str = ""
    upscale_ar: str = ""
    upscale_en: str = ""

    ollama_url: str = "http://127.0.0.1:11434"
    llm_model: str = "qwen2.5:14b"
    llm_context: int = Field(default=8192, ge=2048, le=131072)
    llm_wait_s: float = Field(default=120.0, gt=0)
    models_dir: Path = HOME / "models"
    hub_url: str = Field(default="https://huggingface.co", pattern=r"^https?://[^\s/]+(/\S*)?$")
    hub_token: SecretStr | None = None
    device: str = Field(default="auto", pattern=r"^(auto|cpu|cuda(:\d+)?)$")
    gpu_mb: int = Field(default=0, ge=0)
    cosyvoice_repo: str = ""
    echomimic: Literal["accelerated", "normal"] = "accelerated"
    compile: bool = False
    video_size: int = Field(default=0, ge=0, le=2160, multiple_of=2)
    deadline_s: float = Field(default=180.0, ge=0, allow_inf_nan=False)

    telegram_token: SecretStr | None = None
    telegram_api_url: str = "https://api.telegram.org"
    telegram_webhook_secret: SecretStr | None = None
    whatsapp_phone_id: str = ""
    whatsapp_token: SecretStr | None = None
    whatsapp_app_secret: SecretStr | None = None
    whatsapp_verify_token: SecretStr | None = None
    whatsapp_api_url: str = "https://graph.facebook.com"

    lease_s: float = Field(default=30.0, gt=0)
    heartbeat_s: float = Field(default=10.0, gt=0)
    default_avatar: str = "layla"
    user_rate: int = Field(default=20, ge=1)
    user_open: int = Field(default=100, ge=0)
    user_video_s: float = Field(default=1800.0, ge=0, allow_inf_nan=False)
    queue_limit: int = Field(default=5000, ge=0)
    gather_s: float = Field(default=1.0, ge=0, le=10)
    reconcile_s: float = Field(default=15.0, gt=0, le=60)
    retention_days: float = Field(default=90.0, ge=0, allow_inf_nan=False)
    media_gb: float = Field(default=20.0, ge=0, allow_inf_nan=False)

    @field_validator("data_dir", "models_dir", "cosyvoice_repo", mode="before")
    @classmethod
    def _at_home(cls, value: Any) -> Any:
        """`~/…` in `.env`, which no shell has replaced."""
        at_home = isinstance(value, str) and value.startswith("~/")
        return str(Path.home() / value[2:]) if at_home else value

    @field_validator("video_size")
    @classmethod
    def _to_be_seen(cls, value: int) -> int:
        if 0 < value < LEAST_SIZE:
            raise ValueError(f"{value} pixels show nothing: at least {LEAST_SIZE}, or 0 for the profile's")
        return value

    def engine(self, layer: Layer, language: str | None = None) -> str:
        """The name of the engine for a layer: the language's override, else the layer's, else the profile's (for the
        language, where it has one)."""
        key = f"{layer}_{language}" if language else ""
        profile = BY_LANGUAGE[self.profile].get(key) or PROFILES[self.profile][layer]
        return getattr(self, key, "") or str(getattr(self, layer.value)) or profile

    def engines(self, layer: Layer) -> list[str]:
        """The names that `engine` gives for a layer in any language, each once."""
        return list(dict.fromkeys(self.engine(layer, language) for language in (None, *LANGUAGES)))

    @property
    def canvas_size(self) -> int:
        """Pixels a side of the videos that are sent."""
        return self.video_size or CANVAS[self.profile]

    @property
    def channels(self) -> dict[str, str]:
        """The chat platforms whose credentials are there, each with the bot's own account on it."""
        found = {}
        if self.telegram_token is not None:
            found["telegram"] = self.telegram_token.get_secret_value().partition(":")[0]
        if self.whatsapp_token is not None:
            found["whatsapp"] = self.whatsapp_phone_id
        return found

    @cached_property
    def admin_ids(self) -> frozenset[tuple[str, str]]:
        """(channel, the person's id there) of each administrator."""
        pairs = (entry.strip().partition(":") for entry in self.admins.split(",") if entry.strip())
        return frozenset((channel.strip().lower(), person.strip().lstrip("+")) for channel, _, person in pairs)

    @property
    def media_dir(self) -> Path:
        return self.data_dir / "media"

    @cached_property
    def media_key(self) -> bytes:
        """Signs links to media; made once and kept in DATA_DIR, so links outlive a restart."""
        path = self.data_dir / "media.key"
        if not path.exists():
            self.data_dir.mkdir(parents=True, exist_ok=True)
            with path.with_suffix(f".{secrets.token_hex(4)}").open("xb") as file:
                Path(file.name).chmod(0o600)
                file.write(secrets.token_bytes(32))
            # A link fails where another process was first: then its key is the one.
            _link_once(Path(file.name), path)
        return path.read_bytes()


def _link_once(source: Path, target: Path) -> None:
    try:
        target.hardlink_to(source)
    except FileExistsError:
        pass
    finally:
        source.unlink()


def read_settings() -> Settings:
    """Raises ConfigurationError naming each wrong setting, without its value."""
    try:
        settings = Settings()
    except ValidationError as error:
        wrong = "; ".join(f"SMARTTALKER_{str(row['loc'][0]).upper()}: {_told(row['msg'])}" for row in error.errors())
        raise ConfigurationError(f"wrong setting: {wrong}") from None
    _check(settings)
    return settings


def _told(message: str) -> str:
    return message.removeprefix("Value error, ")


def _check(settings: Settings) -> None:
    if settings.heartbeat_s >= settings.lease_s:
        raise ConfigurationError("SMARTTALKER_HEARTBEAT_S must be smaller than SMARTTALKER_LEASE_S")
    for name in _WHATSAPP:
        if not getattr(settings, name) and any(getattr(settings, other) for other in _WHATSAPP):
            raise ConfigurationError(f"WhatsApp needs all four of its settings: SMARTTALKER_{name.upper()} is missing")
    token = settings.telegram_token.get_secret_value() if settings.telegram_token else ""
    if token and not _TELEGRAM_TOKEN.fullmatch(token):
        raise ConfigurationError("SMARTTALKER_TELEGRAM_TOKEN is no bot token: BotFather gives one like 123456789:AA…")
    if settings.telegram_webhook_secret and not token:
        raise ConfigurationError("SMARTTALKER_TELEGRAM_WEBHOOK_SECRET is set, SMARTTALKER_TELEGRAM_TOKEN is missing")
    if settings.telegram_webhook_secret and not settings.public_url:
        raise ConfigurationError("Telegram's webhook needs SMARTTALKER_PUBLIC_URL; without a secret it is polled")
    secret = settings.telegram_webhook_secret.get_secret_value() if settings.telegram_webhook_secret else "-"
    if not _TELEGRAM_SECRET.fullmatch(secret):
        raise ConfigurationError("SMARTTALKER_TELEGRAM_WEBHOOK_SECRET: 1 to 256 letters, digits, _ and -")
    for entry in filter(None, (part.strip() for part in settings.admins.split(","))):
        if not _ADMIN.fullmatch(entry):
            raise ConfigurationError(f"SMARTTALKER_ADMINS: “{entry}” is not channel:id, like telegram:123456")
