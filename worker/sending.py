"""One claimed row to its platform, and what is to be made of the result."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

from bot.channels.base import Channel, Chat, Limits, Outgoing
from core.errors import (
    AccountRefused,
    ConfigurationError,
    OutcomeUnknown,
    PlatformAway,
    RateLimited,
    SmartTalkerError,
    Unreachable,
    WindowClosed,
)
from core.logging import get_logger, where
from core.states import OutboxState
from db.outbox import Verdict
from db.overlooked import STATUS_S
from worker.pace import Pace

log = get_logger(__name__)

SEND_S = 55.0
"""A channel ends its calls within 50 s; one that does not has an unknown outcome."""
SHORT_S = 1.0
"""A wait up to so long is slept, with the row in hand; a longer one is the row's."""
ATTEMPTS = 15
"""Ten minutes with the back-off below: 2, 4, 8, 16, 32 and then 60 s."""
BUG_ATTEMPTS = 4
"""An error that no channel should raise is seldom better next time."""
LONGEST_BACK_OFF_S = 60.0
"""Then it is asked again, of the pace too: a place in its line lies hours ahead where the clock was set back."""
CLOSED_S = 60.0
"""A channel that is not configured, or whose account is refused, is tried again after so long: the operator acts."""


class Bug(PlatformAway):
    """A channel raised what it should not; the log says where."""

    code = "channel_bug"


class Sending:
    """Sends, at the pace that the platform allows."""

    def __init__(self, pace: Pace) -> None:
        self._pace = pace

    async def send(self, channel: Channel, row: Mapping[str, Any]) -> Verdict:
        """row: as db.outbox.claim gives it. Whatever a channel raises is in the verdict."""
        limits, out = channel.limits, outgoing(row)
        if not row["reachable"]:
            return judge(Unreachable(), row, limits)
        if limits.window_s is not None and row["window_closed"]:
            return judge(WindowClosed(), row, limits)
        if wait := await self._wait(channel, out):
            return Verdict(OutboxState.PENDING, delay_s=min(wait, LONGEST_BACK_OFF_S), refund=True)
        try:
            async with asyncio.timeout(SEND_S):
                sent = await channel.send(out)
        except SmartTalkerError as error:
            return await self._failed(channel, out, row, error)
        except TimeoutError:
            return await self._failed(channel, out, row, OutcomeUnknown())
        except Exception as error:
            log.error("channel_bug", channel=channel.name, error=type(error).__name__, where=where(error))
            return await self._failed(channel, out, row, Bug())
        return Verdict(OutboxState.SENT, external_id=sent.external_id, learned=dict(sent.learned))

    async def _wait(self, channel: Channel, out: Outgoing) -> float:
        """Sleeps a short wait; the seconds of a long one."""
        slept = 0.0
        while wait := await self._pace.reserve(channel.name, out.chat, out.id, channel.limits.rates):
            if slept + wait > SHORT_S:
                return wait
            await asyncio.sleep(wait)
            slept += wait
        return 0.0

    async def _failed(
        self, channel: Channel, out: Outgoing, row: Mapping[str, Any], error: SmartTalkerError
    ) -> Verdict:
        verdict = judge(error, row, channel.limits)
        log.warning(
            "not_sent", outbox_id=out.id, kind=out.kind, code=error.code, state=verdict.state, attempt=row["attempts"]
        )
        if isinstance(error, RateLimited):
            await self._pace.quiet(channel.name, out.chat, verdict.delay_s, whole=error.whole)
        return verdict


def judge(error: SmartTalkerError, row: Mapping[str, Any], limits: Limits) -> Verdict:
    """What an error of the send means for its row."""
    code = error.code
    if isinstance(error, RateLimited):
        return Verdict(OutboxState.PENDING, code, delay_s=max(error.retry_after_s, 0.1), refund=True)
    if isinstance(error, ConfigurationError | AccountRefused):
        return Verdict(OutboxState.PENDING, code, delay_s=CLOSED_S, refund=True)
    if isinstance(error, OutcomeUnknown):
        if "repeated" in row["payload"]:
            return Verdict(OutboxState.UNKNOWN, code)
        # The repetition is the last: what cut the first one's connection may be over by then.
        wait = STATUS_S if limits.tracks else back_off_s(row["attempts"])
        return Verdict(OutboxState.PENDING, code, delay_s=wait, repeat=True)
    if isinstance(error, WindowClosed):
        return Verdict(OutboxState.HELD, code)
    most = BUG_ATTEMPTS if isinstance(error, Bug) else ATTEMPTS
    if error.permanent or row["attempts"] >= most:
        return Verdict(OutboxState.FAILED, code)
    return Verdict(OutboxState.PENDING, code, delay_s=back_off_s(row["attempts"]))


def back_off_s(attempts: int) -> float:
    """After so many attempts."""
    return float(min(2.0 ** min(attempts, 16), LONGEST_BACK_OFF_S))


def outgoing(row: Mapping[str, Any]) -> Outgoing:
    return Outgoing(
        id=row["id"],
        conversation_id=str(row["conversation_id"]),
        turn_id=str(row["turn_id"]) if row["turn_id"] else None,
        kind=row["kind"],
        payload=row["payload"],
        chat=Chat(
            id=row["external_chat_id"],
            account=row["account"],
            addresses=row["addresses"],
            traits=row["traits"],
            group=row["is_group"],
        ),
        reply_to=row["reply_to"],
    )
