"""Telegram's Bot API 10.1, as strict as the real one, for a bot under test.

`create_app(TelegramConfig(...))` is the application. Which methods and fields there are: `schema`; the words of its
refusals are the real server's, where it refuses the same.
"""

from simulators.telegram.app import create_app
from simulators.telegram.config import Rates, TelegramConfig

__all__ = ["Rates", "TelegramConfig", "create_app"]
