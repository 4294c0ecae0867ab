"""What a browser takes."""

from __future__ import annotations

from bot.channels.base import Limits

LIMITS = Limits(video_width=1080, video_height=1080, fps=25, voice_container="ogg", transactional=True)
