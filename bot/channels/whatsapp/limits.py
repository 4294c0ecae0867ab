"""What WhatsApp's Cloud API takes (Graph v23 to v26)."""

from __future__ import annotations

from bot.channels.base import Limits, Rates

LIMITS = Limits(
    video_width=1080,
    video_height=1080,
    fps=25,
    max_video_bytes=16_000_000,
    max_voice_bytes=16_000_000,
    max_document_bytes=100_000_000,
    archives=False,
    text_length=4096,
    caption_length=1024,
    menu_choices=10,
    button_title=24,
    choice_bytes=200,
    window_s=24 * 3600.0,
    progress_s=20.0,
    tracks=True,
    rates=Rates(account_per_s=80.0, chat_per_s=1 / 6, chat_burst=45),
)
"""A typing sign ends after 25 s. One message in 6 s a pair, of which bursts of up to 45 are taken on credit."""
