"""What the simulated business, its app and the platform's limits are."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

DAY_S: Final = 24 * 3600.0
TYPING_S: Final = 25.0
"""A typing sign ends after this long, or on the reply (Meta, "Typing indicators")."""


@dataclass(frozen=True)
class Limits:
    """Rates go by the real clock, windows and expiry by the simulator's.

    Sources: Meta's pages "Throughput" (80 messages/s a number), "Pair rate limits" (one message in 6 s to one user,
    up to 45 within 6 s as a burst on credit), "Customer service windows" (24 h), "Media" (links live 5 minutes,
    uploads 30 days, ids from webhooks 7 days).
    """

    throughput_per_s: int = 80
    pair_gap_s: float = 6.0
    pair_burst: int = 45
    window_s: float = DAY_S
    media_link_s: float = 300.0
    upload_s: float = 30 * DAY_S
    inbound_s: float = 7 * DAY_S


@dataclass(frozen=True)
class Config:
    """webhook_url: where webhooks go from the start on, as if it had been confirmed in Meta's console; None until it
    is subscribed (`POST /{app}/subscriptions`, or `POST /control/subscribe`). reads: people read what reaches them.
    templates: names of approved templates, which may be sent outside the window."""

    phone_id: str = "240000000000001"
    waba_id: str = "240000000000002"
    app_id: str = "240000000000003"
    display_phone: str = "15550104040"
    token: str = "simulated-access-token"  # noqa: S105
    app_secret: str = "simulated-app-secret"  # noqa: S105
    verify_token: str = "simulated-verify-token"  # noqa: S105
    webhook_url: str | None = None
    reads: bool = True
    templates: frozenset[str] = frozenset()
    limits: Limits = field(default_factory=Limits)
