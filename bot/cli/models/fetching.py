"""`smarttalker models fetch`."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from rich.console import Console

from bot.cli.errors import report
from bot.cli.models.bars import shown
from bot.cli.models.engines import needed_by
from core.errors import SmartTalkerError
from core.settings import Settings
from core.weights.fetching import Progress, State, Way
from core.weights.manifest import Environment, Manifest, Set, Weights
from core.weights.run import Entry, check_room, refuse_unaccepted
from core.weights.words import in_words

STOPPED = 130
"""The exit status after Ctrl-C, as shells have it."""


def fetch_named(names: Sequence[str], manifest: Manifest, way: Way, *, agreed: bool) -> int:
    """The named entries and what they need; what is here already is compared with its hashes. Raises NotFound, for a
    licence ConfigurationError, StorageError, and what sources answer, all before anything is fetched."""
    return _fetch(manifest.with_needs(names), way, agreed=agreed, thorough=True)


def fetch_set(name: str, manifest: Manifest, way: Way, *, agreed: bool) -> int:
    """A set that fits a card, and how to choose it. Raises as fetch_named."""
    chosen = manifest.set(name)
    status = _fetch(manifest.with_needs(chosen.weights), way, agreed=agreed, thorough=False)
    if status != STOPPED:
        print(f"\nIn .env, these lines choose what fits a card of {chosen.card_gb} GB:")
        print("\n".join(env_lines(chosen)))
    return status


def fetch_needed(settings: Settings, manifest: Manifest, way: Way, *, agreed: bool) -> int:
    """What the engines of the settings need. 1 where one of them is not known to this version."""
    needed = needed_by(settings, manifest)
    status = _fetch(needed.weights, way, agreed=agreed, thorough=False) if needed.weights else 0
    if not needed.weights and not needed.reasons:
        print(f"Nothing to fetch: the engines of profile {settings.profile} need no weights.")
    for reason in needed.reasons:
        print(f"not fetched: {reason}")
    return status or (1 if needed.reasons else 0)


def env_lines(chosen: Set) -> list[str]:
    """What chooses the set, for `.env`."""
    lines = ["SMARTTALKER_PROFILE=gpu"]
    lines += [f"SMARTTALKER_{key.upper()}={engine}" for key, engine in chosen.engines.items()]
    lines += [f"SMARTTALKER_LLM_MODEL={chosen.llm_model}"] if chosen.llm_model else []
    return lines + ([f"SMARTTALKER_LLM_CONTEXT={chosen.llm_context}"] if chosen.llm_context else [])


def _fetch(chosen: Sequence[Weights], way: Way, *, agreed: bool, thorough: bool) -> int:
    # An environment is gigabytes from another source: where the hub does not answer, it need not come first.
    entries = [Entry(each, way) for each in sorted(chosen, key=lambda each: isinstance(each.source, Environment))]
    _print_licences(chosen)
    if not agreed:
        refuse_unaccepted(entries)
    try:
        _check_room(entries, way)
        with shown() as progress:
            done = [_fetch_one(each, progress, agreed=agreed, thorough=thorough) for each in entries]
    except KeyboardInterrupt:
        print("stopped: what has come is kept, and the same command goes on from there", file=sys.stderr)
        return STOPPED
    return 0 if all(done) else 1


def _print_licences(chosen: Sequence[Weights]) -> None:
    wide = max(len(each.name) for each in chosen)
    for each in chosen:
        terms = "" if each.terms == "open" else f", not for commercial use: {each.page}"
        print(f"{each.name:{wide}}  licence: {each.licence}{terms}")


def _check_room(entries: Sequence[Entry], way: Way) -> None:
    """Raises StorageError, and what sources answer."""
    with Console().status("asking the sources"):
        size = sum(each.size() for each in entries if each.state is not State.HERE)
    free = check_room(way.models, size)
    if size:
        print(f"{in_words(size)} to fetch into {way.models}; {in_words(free)} are free there", flush=True)


def _fetch_one(entry: Entry, progress: Progress, *, agreed: bool, thorough: bool) -> bool:
    """Whether it is here now; what went wrong is told, and the others go on."""
    name = entry.weights.name
    try:
        fetched = entry.fetch(progress, agreed=agreed, thorough=thorough)
    except SmartTalkerError as error:
        report(error, f"{name}: {str(error).removeprefix(f'{name}: ')}")
        return False
    described = f": {entry.described}" if fetched and entry.described else ""
    progress.note(f"✓ {name} is {'fetched' if fetched else 'here already'}{described}")
    return True
