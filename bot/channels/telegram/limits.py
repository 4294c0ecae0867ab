"""What Telegram takes (Bot API 10.1, and the FAQ for bots where the API's reference is silent)."""

from __future__ import annotations

from bot.channels.base import Limits, Rates

LIMITS = Limits(
    video_width=640,
    video_height=640,
    fps=25,
    max_video_bytes=50_000_000,
    round_seconds=60.0,
    thumbnails=True,
    max_voice_bytes=50_000_000,
    max_document_bytes=50_000_000,
    max_fetch_bytes=20_000_000,
    text_length=4096,
    caption_length=1024,
    menu_choices=24,
    button_title=48,
    choice_bytes=64,
    edits=True,
    progress_s=4.0,
    rates=Rates(account_per_s=30.0, chat_per_s=1.0, chat_burst=4, group_per_s=20 / 60),
)
"""A video is as large as a round one may be (sendVideoNote); a sign ends after 5 s; a row of more than 24 buttons is
nothing that anybody reads."""
