"""What a simulated Bot API server is like; the defaults are the real one's."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from simulators.delivery import Pace

MB: Final = 1024 * 1024
DEMO_TOKEN: Final = "100200300:simulated-token-for-tests-only"  # noqa: S105 (no real bot's)


@dataclass(frozen=True)
class Rates:
    """Telegram's "My bot is hitting limits" (core.telegram.org/bots/faq): about 30 messages a second in all, one a
    second in a chat with short bursts, 20 a minute in a group. `inf` switches a limit off."""

    total_per_s: float = 30.0
    chat_per_s: float = 1.0
    chat_burst: int = 5
    group_per_min: float = 20.0


@dataclass(frozen=True)
class TelegramConfig:
    """upload_bytes, download_bytes: 50 MB and 20 MB ("Sending files", `getFile`); a local Bot API server takes 2000 MB
    both ways (`local`). callback_s: how long a press may be answered. privacy: in groups the bot gets commands,
    mentions and replies alone. https_only: webhooks to plain http are refused, as Telegram's own servers do; a local
    server takes them, and the bot under test listens on loopback."""

    token: str = DEMO_TOKEN
    username: str = "smarttalker_bot"
    name: str = "SmartTalker"
    rates: Rates = field(default_factory=Rates)
    pace: Pace = field(default_factory=Pace)
    upload_bytes: int = 50 * MB
    download_bytes: int = 20 * MB
    callback_s: float = 15.0
    file_link_s: float = 3600.0
    update_s: float = 24 * 3600.0
    privacy: bool = True
    https_only: bool = False

    @property
    def bot_id(self) -> int:
        return int(self.token.split(":")[0])

    @classmethod
    def local(cls, token: str = DEMO_TOKEN) -> TelegramConfig:
        """As a Bot API server run with `--local`."""
        return cls(token=token, upload_bytes=2000 * MB, download_bytes=2000 * MB)
