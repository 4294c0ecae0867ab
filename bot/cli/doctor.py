"""`smarttalker doctor`: what SmartTalker stands on, looked at piece by piece."""

from __future__ import annotations

import asyncio
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, distribution, requires
from pathlib import Path

from rich.console import Console
from rich.table import Table

from bot.cli.card import device_of, needs_torch_on_card, torch_for_card
from bot.cli.catalogue import catalogue_of
from bot.cli.models.engines import chosen_engines, needed_by, seen, stand_ins
from bot.cli.pictures import refusals
from bot.cli.recordings import imitating, remarks, silent
from core.errors import PortTaken, SmartTalkerError, StorageError
from core.kinds import Layer
from core.measuring import measured
from core.persona import check_persona
from core.settings import Settings, read_settings
from core.weights.manifest import Ollama, read_manifest
from core.weights.paths import RECORD
from worker.gpu.table import report_at_hand

_SPACE_MB = 500
"""A cluster takes 40 MB, a minute of answers about 10."""


@dataclass(frozen=True)
class Finding:
    """subject: what was looked at. good: whether it serves. detail: what was seen, and what to do where it doesn't."""

    subject: str
    good: bool
    detail: str


def examine() -> int:
    """Prints a table; 1 if something is wrong."""
    findings = list(look())
    table = Table("", "what", box=None, pad_edge=False)
    table.add_column("finding", overflow="fold")
    for finding in findings:
        mark = "[green]✓[/green]" if finding.good else "[red]✗[/red]"
        table.add_row(mark, finding.subject, _plain(finding.detail))
    Console().print(table)
    return 0 if all(finding.good for finding in findings) else 1


def look() -> Iterator[Finding]:
    yield _checked("Python", _python)
    yield _checked("packages", _packages)
    try:
        settings = read_settings()
    except SmartTalkerError as error:
        yield Finding("settings", False, str(error))
        return
    yield Finding("settings", True, f"profile {settings.profile}, from the environment and .env")
    yield _checked("puppet", _puppet)
    checks: dict[str, Callable[[Settings], str]] = {
        "data folder": _data_dir,
        "media": _media,
        "port": _port,
        "PostgreSQL": _postgres,
        "Redis": _redis,
        "avatars": _avatars,
    }
    for subject, check in checks.items():
        yield _checked(subject, lambda check=check: check(settings))  # type: ignore[misc]
    yield from _voices(settings)
    yield from _personas(settings)
    for name in settings.channels:
        yield _checked(name, lambda name=name: _channel(settings, name))  # type: ignore[misc]
    device = device_of(settings)
    for layer, names in chosen_engines(settings).items():
        for name in names:
            yield _engine(layer, name, settings, device)
        yield from _stand_ins(layer, names, settings, device)
    for avatar, remark in refusals(settings, device):
        yield Finding(f"avatar {avatar}", not remark.wrong, remark.text)
    for language, name in silent(settings):
        yield Finding(
            f"tts in {language}", True, f"{name} does not speak it: another engine of the settings, or eSpeak"
        )
    yield from _weights(settings)
    yield from _card(settings)


def _checked(subject: str, check: Callable[[], str]) -> Finding:
    try:
        return Finding(subject, True, check())
    except SmartTalkerError as error:
        return Finding(subject, False, str(error))
    except Exception as error:  # whatever it is, the other checks go on
        return Finding(subject, False, f"{type(error).__name__}: {error}")


def _python() -> str:
    if sys.version_info[:2] not in ((3, 11), (3, 12)):
        raise SmartTalkerError(f"{sys.version.split()[0]}: use 3.11 or 3.12, and run `make` again")
    return sys.version.split()[0]


def _packages() -> str:
    wrong = [line for line in requires("smarttalker") or [] if "extra ==" not in line and not _installed(line)]
    if wrong:
        raise SmartTalkerError(f"{', '.join(wrong)}: run `make` to install what is pinned")
    return "all that are pinned are installed"


def _installed(requirement: str) -> bool:
    name, _, version = requirement.partition("==")
    try:
        return distribution(name.partition("[")[0]).version == version
    except PackageNotFoundError:
        return False


def _data_dir(settings: Settings) -> str:
    folder = settings.data_dir
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=folder) as file:
            file.write(b"x" * 4096)
            file.flush()
    except OSError as error:
        raise StorageError(f"{folder}: {error.strerror}; set SMARTTALKER_DATA_DIR to a folder of yours") from error
    free_mb = shutil.disk_usage(folder).free // 10**6
    if free_mb < _SPACE_MB:
        raise StorageError(f"{folder}: only {free_mb} MB are free and {_SPACE_MB} are needed; free some space")
    return f"{folder}: {free_mb:,} MB free"


def _media(settings: Settings) -> str:
    """How much is kept, how long and how much may be, and what the disk has left for it."""
    kept_mb = measured(settings.media_dir).bytes // 10**6
    free_mb = shutil.disk_usage(settings.data_dir).free // 10**6
    most_mb = round(settings.media_gb * 1000)
    lines = [f"{kept_mb:,} MB of {most_mb:,} MB" if most_mb else f"{kept_mb:,} MB, without a limit"]
    lines.append(f"for {settings.retention_days:g} days" if settings.retention_days else "until they are deleted")
    lines.append(f"{free_mb:,} MB of the disk are free")
    if most_mb and free_mb < most_mb - kept_mb:
        room = f"SMARTTALKER_MEDIA_GB={_half(kept_mb + free_mb):g} leaves room for others"
        lines.append(f"which are fewer than the limit allows: {room}")
    return ", ".join(lines)


def _half(mb: float) -> float:
    """In GB, to one digit that matters: half of the room stays free for all else."""
    return float(f"{mb / 2000:.1g}")


def _port(settings: Settings) -> str:
    from core.supervisor import address, answers_ready, check_port

    try:
        check_port(settings.host, settings.port)
    except PortTaken:
        if answers_ready(settings):
            return f"SmartTalker is running at {address(settings)}"
        raise
    return f"{settings.host}:{settings.port} is free" if settings.port else "0: any free one is chosen"


def _postgres(settings: Settings) -> str:
    if not settings.database_url:
        from core.embedded.programs import bundled_postgres

        return f"embedded, {_existing(bundled_postgres() / 'bin' / 'postgres')}"
    return asyncio.run(_ask_postgres(settings.database_url))


async def _ask_postgres(url: str) -> str:
    from sqlalchemy import text

    from db.sessions import Database

    database = Database(url, size=1)
    try:
        async with database.begin() as connection:
            version = int((await connection.execute(text("SHOW server_version_num"))).scalar_one())
    finally:
        await database.close()
    if version < 140000:
        raise SmartTalkerError(f"version {version // 10000} is too old: use PostgreSQL 14 or newer")
    return f"version {version // 10000} answers"


def _redis(settings: Settings) -> str:
    if not settings.redis_url:
        from core.embedded.programs import bundled_redis

        return f"embedded, {_existing(bundled_redis())}"
    return asyncio.run(_ask_redis(settings.redis_url))


async def _ask_redis(url: str) -> str:
    from redis.asyncio import Redis
    from redis.exceptions import RedisError

    from core.errors import QueueUnavailable

    client: Redis = Redis.from_url(url, socket_connect_timeout=5, socket_timeout=5)
    try:
        version = str((await client.info("server"))["redis_version"])
    except (RedisError, OSError) as error:
        raise QueueUnavailable from error
    finally:
        await client.aclose()
    if tuple(int(part) for part in version.split(".")[:2]) < (6, 2):
        raise SmartTalkerError(f"version {version} is too old: use Redis 6.2 or newer")
    return f"version {version} answers"


def _existing(path: Path) -> str:
    if not path.exists():
        raise SmartTalkerError(f"{path} is missing: remove .venv and run `make`, or set the server's URL")
    return str(path)


def _channel(settings: Settings, name: str) -> str:
    from bot.channels.base import Surroundings
    from bot.channels.registry import open_receiver
    from core.queue import Queue
    from core.storage import Storage

    # Nobody is rung for: the queue is never connected to.
    queue = Queue.lazy(settings.redis_url or "redis://127.0.0.1")
    receiver = open_receiver(name, Surroundings(settings, queue, Storage(settings.media_dir)))
    return asyncio.run(receiver.check())


def _avatars(settings: Settings) -> str:
    catalogue = catalogue_of(settings)
    avatars = catalogue.avatars()
    for avatar in avatars:
        catalogue.voice(avatar.voice)
        if not avatar.portrait.exists():
            raise SmartTalkerError(f"{avatar.portrait} is missing")
        if not avatar.rig.exists():
            raise SmartTalkerError(f"{avatar.id} has no rig: run `smarttalker avatar rig {avatar.id}`")
    if settings.default_avatar not in {avatar.id for avatar in avatars}:
        raise SmartTalkerError(f"SMARTTALKER_DEFAULT_AVATAR={settings.default_avatar}: no such avatar")
    return ", ".join(avatar.id for avatar in avatars)


def _personas(settings: Settings) -> Iterator[Finding]:
    """A finding for each wrong or doubtful line; one for all personas that have none."""
    fine = []
    for folder in catalogue_of(settings).avatar_folders():
        found = check_persona(folder / "persona.toml")
        yield from (Finding(f"persona {folder.name}", not problem.wrong, str(problem)) for problem in found)
        fine += [folder.name] if not found else []
    if fine:
        yield Finding("personas", True, ", ".join(fine))


def _voices(settings: Settings) -> Iterator[Finding]:
    """A finding for each remark on a voice; one for all voices that have none."""
    catalogue, imitators = catalogue_of(settings), imitating(settings)
    folders, fine = catalogue.voice_folders(), []
    for folder in folders:
        found = list(remarks(catalogue, folder, imitators))
        yield from (Finding(f"voice {folder.name}", not remark.wrong, remark.text) for remark in found)
        fine += [folder.name] if not found else []
    if fine or not folders:
        yield Finding("voices", bool(folders), ", ".join(fine) or "none is here: voices/ holds them, one folder each")


def _puppet() -> str:
    from worker.engines.video.puppet.drawing.native import described

    return f"draws with {described()}"


def _engine(layer: Layer, name: str, settings: Settings, device: str) -> Finding:
    engine = seen(layer, name, settings, device)
    found = name if engine.found in (None, name) else f"{name}: {engine.found}"
    return Finding(f"engine {layer}", engine.reason is None, engine.reason or found)


def _stand_ins(layer: Layer, chosen: Sequence[str], settings: Settings, device: str) -> Iterator[Finding]:
    """Of those that need something. Without one an answer steps down further, which is no reason not to start."""
    for name in stand_ins(layer, chosen):
        engine = seen(layer, name, settings, device)
        if engine.found != name:
            detail = f"{name}: {engine.found}" if engine.reason is None else f"{name} is not ready: {engine.reason}"
            yield Finding(f"stand-in {layer}", True, detail)


def _weights(settings: Settings) -> Iterator[Finding]:
    """Says that engines look at sizes alone, where what they need is here."""
    needed = [each for each in needed_by(settings, read_manifest()).weights if not isinstance(each.source, Ollama)]
    there = [each.name for each in needed if (settings.models_dir / each.name / RECORD).is_file()]
    if there:
        detail = f"{', '.join(there)}: seen by size; `smarttalker models verify` reads every byte"
        yield Finding("weights", True, detail)


def _card(settings: Settings) -> Iterator[Finding]:
    """The plan for the card at hand, and whether torch can use it. Nothing where no engine needs a card."""
    try:
        report = report_at_hand(settings)
    except SmartTalkerError as error:
        yield Finding("card", False, str(error))
        return
    if report is None:
        return
    yield Finding("card", report.fits, "\n".join(report.lines))
    if needs_torch_on_card(settings):
        yield _checked("torch", torch_for_card)


def _plain(detail: str) -> str:
    """rich takes square brackets for styles."""
    return detail.replace("[", "\\[")
