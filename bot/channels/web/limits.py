"""What a browser takes."""

from __future__ import annotations

from bot.channels.base import Limits

LIMITS = Limits(video_width=512, video_height=512, fps=25, voice_container="ogg", transactional=True)
