"""The figures of growth, long queues, claims and recovery as docs/performance.md has them: `python -m bench.page`
prints the table from what the groups have left in outputs/bench.json."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from pathlib import Path

from bench.figures import TARGETS, rounded
from bench.run import OUTPUT

ROWS: Mapping[str, tuple[str, ...]] = {
    "turns a second, each posted when the one before is done": ("turns_one_by_one_per_s",),
    "turns a second, null engines: 1, 2, 4 render processes": (
        *("growth_1_turns_per_s", "growth_2_turns_per_s", "growth_4_turns_per_s"),
    ),
    "the same, times one process: 2, 4": ("growth_2_times", "growth_4_times"),
    "the cores' share that worked meanwhile: 1, 2, 4": (
        *("growth_1_cores_busy", "growth_2_cores_busy", "growth_4_cores_busy"),
    ),
    "turns a second, an engine that waits 0.25 s: 1, 2, 4": (
        *("growth_waits_1_turns_per_s", "growth_waits_2_turns_per_s", "growth_waits_4_turns_per_s"),
    ),
    "the same, times one process: 2, 4 ": ("growth_waits_2_times", "growth_waits_4_times"),
    "POST to 202 at 100/s, 2,000 turns queued, paused: p50; p99": ("queued_web_p50_ms", "queued_web_p99_ms"),
    "Telegram's webhook to 200, the same": ("queued_telegram_p50_ms", "queued_telegram_p99_ms"),
    "WhatsApp's webhook to 200, the same": ("queued_whatsapp_p50_ms", "queued_whatsapp_p99_ms"),
    "claim at 100,000 old turns, 300 queued, with its commit on the disk: p50; p95": ("claim_p50_ms", "claim_p95_ms"),
    "the same without waiting for the disk": ("claim_undisked_p50_ms", "claim_undisked_p95_ms"),
    "the same behind 300 turns that may not run yet": ("claim_behind_p50_ms", "claim_behind_p95_ms"),
    "web process killed: until a POST is taken, median; worst of 5": ("recovery_bot_s", "recovery_bot_worst_s"),
    "courier killed: until the next answer is delivered": ("recovery_courier_s", "recovery_courier_worst_s"),
    "child killed: until its turn is claimed again": ("recovery_child_claimed_s", "recovery_child_claimed_worst_s"),
    "child killed: until its turn is answered": ("recovery_child_answered_s", "recovery_child_answered_worst_s"),
    "render killed: until its turn is claimed again": ("recovery_render_claimed_s", "recovery_render_claimed_worst_s"),
    "render killed: until its turn is answered": ("recovery_render_answered_s", "recovery_render_answered_worst_s"),
    "render gone for good, lease 30 s, beat 15 s: until another claims its turn": (
        *("recovery_gone_30s_s", "recovery_gone_30s_worst_s"),
    ),
    "the same, lease 2 s, beat 0.5 s": ("recovery_gone_2s_s", "recovery_gone_2s_worst_s"),
    "restart of everything: stopped": ("restart_stop_s", "restart_stop_worst_s"),
    "restart of everything: answering again": ("restart_ready_s", "restart_ready_worst_s"),
    "restart of everything: the first answer": ("restart_answered_s", "restart_answered_worst_s"),
}


def lines(figures: Mapping[str, float]) -> list[str]:
    """The table; a row that is not measured has a dash."""
    found = ["| figure | target | measured | name in `bench.json` |", "|---|---|---|---|"]
    for said, names in ROWS.items():
        targets = "; ".join(f"{TARGETS[name]}{unit(name)}" for name in names if name in TARGETS) or "–"
        measured = "; ".join(shown(name, figures.get(name)) for name in names)
        found.append(f"| {said.strip()} | {targets} | {measured} | {', '.join(f'`{name}`' for name in names)} |")
    return found


def unit(name: str) -> str:
    """With the space before it: the last word of a name where that is one of time."""
    word = name.rpartition("_")[2]
    return f" {word}" if word in ("ms", "s") and not name.endswith("per_s") else ""


def shown(name: str, value: float | None) -> str:
    """Bold and `missed` beyond its target."""
    if value is None:
        return "–"
    target = TARGETS.get(name)
    said = f"{rounded(float(f'{value:.3g}'))}{unit(name)}"
    return said if target is None or target.met(value) else f"**{said}** (missed)"


def main(path: Path = OUTPUT) -> None:
    print("\n".join(lines(json.loads(path.read_text(encoding="utf-8")))))


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:]))
