"""The commands of `smarttalker models` and their options; what they do is in the modules beside."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from core.errors import ConfigurationError
from core.settings import HOME, Settings, read_settings

if TYPE_CHECKING:
    from core.weights.fetching import Way
    from core.weights.manifest import Manifest

models = typer.Typer(help="What the engines need, and how it comes here.", no_args_is_help=True)

Names = Annotated[list[str] | None, typer.Argument(help="As `smarttalker models list` names them.")]
ManifestFile = Annotated[Path, typer.Option("--manifest", help="Another manifest than the one that is shipped.")]
_SHIPPED = HOME / "models" / "manifest.toml"


@models.command("list")
def list_models(manifest: ManifestFile = _SHIPPED) -> None:
    """Print all weights, what of them is here, and each layer's engine. Exit status 1 if a chosen one can't be used."""
    from bot.cli.models.tables import print_models

    settings = read_settings()
    raise typer.Exit(print_models(settings, _read(manifest), _way(settings)))


@models.command("fetch")
def fetch(
    names: Names = None,
    profile: Annotated[
        str, typer.Option(metavar="SET", help="A set that fits a card: gpu-8g, -12g, -16g, -24g or -48g.")
    ] = "",
    offline: Annotated[
        Path | None, typer.Option("--from", metavar="FOLDER", help="A models folder that was copied here; no network.")
    ] = None,
    mirror: Annotated[str, typer.Option(metavar="URL", help="A web server that offers a models folder.")] = "",
    accept_licence: Annotated[
        bool,
        typer.Option("--accept-licence", help="Agree to the terms of what is not for commercial use."),
    ] = False,
    manifest: ManifestFile = _SHIPPED,
) -> None:
    """Download weights: those named, a set, or what the settings' engines need. What was broken off goes on."""
    from bot.cli.models import fetching

    settings, known = read_settings(), _read(manifest)
    way = _way(settings, offline, mirror)
    if names and profile:
        raise ConfigurationError("name weights or a --profile, not both")
    if profile:
        raise typer.Exit(fetching.fetch_set(profile, known, way, agreed=accept_licence))
    if names:
        raise typer.Exit(fetching.fetch_named(names, known, way, agreed=accept_licence))
    raise typer.Exit(fetching.fetch_needed(settings, known, way, agreed=accept_licence))


@models.command("verify")
def verify(names: Names = None, manifest: ManifestFile = _SHIPPED) -> None:
    """Read all that is here and compare it with its hashes. Exit status 1 if something is wrong."""
    from bot.cli.models import checking

    raise typer.Exit(checking.verify(names or [], _read(manifest), _way(read_settings())))


@models.command("remove")
def remove(
    names: Annotated[list[str], typer.Argument(help="As `smarttalker models list` names them.")],
    manifest: ManifestFile = _SHIPPED,
) -> None:
    """Delete weights, and ask Ollama to delete its models."""
    from bot.cli.models import checking

    raise typer.Exit(checking.remove(names, _read(manifest), _way(read_settings())))


@models.command("plan")
def plan(
    card: Annotated[
        list[int] | None,
        typer.Option("--card", metavar="GB", min=1, help="Its memory, once or more; if none: the card that is here."),
    ] = None,
) -> None:
    """Print whether the chosen engines fit the card, or a set a card of some size, and what makes room for what. Exit
    status 1 if something does not fit."""
    from worker.gpu.table import print_plans

    raise typer.Exit(print_plans(read_settings(), card or []))


def _read(manifest: Path) -> Manifest:
    from core.weights.manifest import read_manifest

    return read_manifest(manifest)


def _way(settings: Settings, offline: Path | None = None, mirror: str = "") -> Way:
    """The hub's own names for address and token are known too. Raises ConfigurationError."""
    from pydantic import SecretStr

    from core.weights.fetching import Way

    if mirror and not mirror.startswith(("http://", "https://")):
        raise ConfigurationError(f"--mirror {mirror}: give a URL, https://…")
    if offline is not None and not offline.is_dir():
        raise ConfigurationError(f"--from {offline}: there is no such folder")
    given = os.environ.get("HF_TOKEN", "")
    return Way(
        models=settings.models_dir.absolute(),
        hub=settings.hub_url.rstrip("/"),
        hub_token=settings.hub_token or (SecretStr(given) if given else None),
        mirror=mirror.rstrip("/") or None,
        offline=offline.absolute() if offline else None,
        ollama_url=settings.ollama_url.rstrip("/"),
    )
