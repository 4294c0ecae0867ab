"""What was measured: kept by name, shown beside its target, written as one flat object."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.table import Table

Figures = dict[str, float]
"""Name → number; the unit is the name's last word (`_ms`, `_s`, `_mib`), rates are a second."""


@dataclass(frozen=True)
class Target:
    """At most, or at least where `least` is set."""

    value: float
    least: bool = False

    def met(self, measured: float) -> bool:
        return measured >= self.value if self.least else measured <= self.value

    def __str__(self) -> str:
        return f"{'≥' if self.least else '≤'} {self.value:g}"


TARGETS: Mapping[str, Target] = {
    "overhead_p50_ms": Target(50),
    "turns_per_s": Target(20, least=True),
    "commits_per_turn": Target(8),
    "intake_100_p50_ms": Target(15),
    "intake_100_p99_ms": Target(100),
    "intake_50_rendering_p99_ms": Target(300),
    "telegram_webhook_p50_ms": Target(15),
    "telegram_webhook_p99_ms": Target(150),
    "whatsapp_webhook_p50_ms": Target(15),
    "whatsapp_webhook_p99_ms": Target(150),
    "updates_answered_once": Target(10_000, least=True),
    "queued_web_p99_ms": Target(150),
    "queued_telegram_p99_ms": Target(150),
    "queued_whatsapp_p99_ms": Target(150),
    "growth_2_times": Target(1.1, least=True),
    "growth_4_times": Target(1.1, least=True),
    "growth_waits_2_times": Target(1.8, least=True),
    "growth_waits_4_times": Target(3, least=True),
    "claim_p50_ms": Target(3),
    "recovery_gone_30s_worst_s": Target(45),
    "recovery_gone_2s_worst_s": Target(2.5),
    "answer_10s_delivered_s": Target(2.5),
    "answer_10s_text_s": Target(0.5),
    "answer_10s_sound_s": Target(1.5),
    "memory_ratio_60s_to_10s": Target(1.1),
    "video_512_times_real": Target(12, least=True),
    "video_512_whole_to_encoding": Target(0.65, least=True),
    "video_512_cpu_ms_a_frame": Target(3.5),
    "video_512_cv2_times_real": Target(4, least=True),
    "video_512_peak_mib": Target(286),  # 300 MB
    "video_1080_times_real": Target(4, least=True),
    "video_1080_whole_to_encoding": Target(0.75, least=True),
    "video_1080_cpu_ms_a_frame": Target(12),
    "video_1080_cv2_times_real": Target(1.3, least=True),
    "video_1080_peak_mib": Target(381),  # 400 MB
    "photo_to_rig_s": Target(3),
    "sync_r": Target(0.93, least=True),
    "sync_lag_size_ms": Target(20),
    "closures_shut_share": Target(0.97, least=True),
    "flicker_rim": Target(0.05),
    "flicker_background": Target(0.05),
    "sound_picture_apart_ms": Target(40),
    "answers_found_all": Target(0.85, least=True),
    "answers_refused_all": Target(0.9, least=True),
    "emotion_all": Target(0.85, least=True),
    "heard_american": Target(0.9, least=True),
    "refused_american": Target(0.95, least=True),
    "echomimic_unguided_times": Target(1.0, least=True),
    "echomimic_guided_times": Target(1.2, least=True),
    "echomimic_ours_60s_to_2s_ratio": Target(1.1),
    "run_ready_s": Target(6),
    "demo_second_s": Target(20),
    "demo_fresh_s": Target(150),
}


def percentile(values: Sequence[float], share: float) -> float:
    """Nearest rank: the smallest value that `share` (0 … 1) of all do not exceed. Raises ValueError for no value."""
    if not values:
        raise ValueError("no values")
    ordered = sorted(values)
    rank = -(-round(share * len(ordered) * 1e9) // 10**9)
    return ordered[min(max(rank, 1), len(ordered)) - 1]


def spread(name: str, values: Sequence[float]) -> Figures:
    """p50, p95, p99 and the largest of times in ms."""
    shares = {"p50": 0.5, "p95": 0.95, "p99": 0.99, "max": 1.0}
    return {f"{name}_{word}_ms": percentile(values, share) for word, share in shares.items()}


def show(console: Console, title: str, figures: Figures) -> None:
    table = Table(title=title, title_justify="left")
    table.add_column("figure")
    table.add_column("measured", justify="right")
    table.add_column("target", justify="right")
    table.add_column("")
    for name, value in figures.items():
        target = TARGETS.get(name)
        verdict = "" if target is None else "[green]met[/]" if target.met(value) else "[red]missed[/]"
        table.add_row(name, rounded(value), str(target or ""), verdict)
    console.print(table)


def rounded(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.4g}"


def keep(path: Path, figures: Figures) -> None:
    """Adds to what earlier runs of other groups left in the file; an unreadable file is begun anew."""
    try:
        known = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        known = {}
    known = known if isinstance(known, dict) else {}
    path.parent.mkdir(parents=True, exist_ok=True)
    merged = {**known, **{name: round(value, 4) for name, value in figures.items()}}
    path.write_text(json.dumps(dict(sorted(merged.items())), indent=2) + "\n", encoding="utf-8")
