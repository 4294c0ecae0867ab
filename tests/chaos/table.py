"""The table of seeds in docs/reliability.md, from the figures of a run."""

from __future__ import annotations

import re
from collections.abc import Mapping

COLUMNS: Mapping[str, str] = {
    "turns": "turns",
    "troubles": "troubles",
    "lost": "lost",
    "out_of_order": "out of order",
    "wrong_conversation": "to another",
    "duplicates_unexplained": "doubled",
    "duplicates_marked": "doubled, marked",
    "without_end": "without end",
    "steps_untold": "untold",
    "leaks": "leaks",
    "recovery_max_s": "recovery, s",
    "answered_median_s": "answered, median s",
    "seconds": "seconds",
}
"""Figures and what stands over them."""
KILLS: Mapping[str, str] = {
    "kill_bot": "`kill -9` of the web process: a message is taken",
    "kill_courier": "… of the courier: an answer is sent",
    "kill_render": "… of render: an answer is made",
    "kill_child": "… of its child: an answer is made",
    "kill_all": "… of all three at once: all of these",
    "redis_kill": "… of Redis: all of these",
    "postgres_kill": "… of PostgreSQL: all of these",
}
"""Kills, and what then happens again."""
_SEED = re.compile(r"seed_(\d+)_turns")


def table(figures: Mapping[str, float]) -> str:
    """Markdown: a line for each seed, and one for all."""
    seeds = sorted(int(found[1]) for name in figures if (found := _SEED.fullmatch(name)))
    lines = [_line("seed", *COLUMNS.values()), _line(*("---:" for _ in range(len(COLUMNS) + 1)))]
    for seed in seeds:
        lines.append(_line(str(seed), *(_number(figures.get(f"seed_{seed}_{name}")) for name in COLUMNS)))
    whole = {**figures, "seconds": figures.get("seconds_a_seed", 0.0)}
    lines.append(_line("**all**", *(f"**{_number(whole.get(name))}**" for name in COLUMNS)))
    return "\n".join(lines)


def recoveries(figures: Mapping[str, float]) -> str:
    """Markdown: how long each kill kept people waiting, at worst."""
    lines = [_line("after", "times", "seconds, at most"), _line("---", "---:", "---:")]
    for name, what in KILLS.items():
        worst = figures.get(f"back_after_{name}_s")
        if worst is not None:
            lines.append(_line(what, _number(figures.get(f"times_{name}")), _number(worst)))
    return "\n".join(lines)


def laid_in(page: str, figures: Mapping[str, float]) -> str:
    """The page with both tables between their marks, `<!-- seeds -->` and `<!-- recoveries -->`."""
    for name, made in (("seeds", table), ("recoveries", recoveries)):
        between = re.compile(rf"(<!-- {name} -->\n).*?(\n<!-- end of {name} -->)", re.DOTALL)
        laid = made(figures)
        page, count = between.subn(lambda found, laid=laid: f"{found[1]}{laid}{found[2]}", page)  # type: ignore[misc]
        assert count == 1, f"the page has no place for {name}"
    return page


def _line(*cells: str) -> str:
    return f"| {' | '.join(cells)} |"


def _number(value: float | None) -> str:
    return "–" if value is None else f"{value:,.2f}".rstrip("0").rstrip(".")
