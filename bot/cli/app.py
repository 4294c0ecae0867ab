"""The commands and their options; what they do is in the modules beside."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from bot.cli.models.commands import models
from core.settings import read_settings

app = typer.Typer(
    name="smarttalker",
    help="A message in, a talking avatar's video out.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
avatar = typer.Typer(help="The faces.", no_args_is_help=True)
voice = typer.Typer(help="The voices.", no_args_is_help=True)
app.add_typer(models, name="models")
app.add_typer(avatar, name="avatar")
app.add_typer(voice, name="voice")


def _version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version

        typer.echo(f"smarttalker {version('smarttalker')}")
        raise typer.Exit


@app.callback()
def options(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version and stop.")
    ] = False,
) -> None:
    """A message in, a talking avatar's video out."""


@app.command()
def up(
    simulate: Annotated[
        str, typer.Option(metavar="NAMES", help="What to simulate on this machine: telegram,whatsapp,ollama.")
    ] = "",
) -> None:
    """Run everything: the servers that have no URL, the web process and both workers."""
    from bot.cli.serve import run_all
    from bot.cli.simulation import parse

    run_all(read_settings(), parse(simulate))


@app.command()
def bot() -> None:
    """Run the web process alone: it receives, and serves the page and the API."""
    from bot.cli.serve import run_process

    run_process("bot")


@app.command()
def courier() -> None:
    """Run the courier alone: it downloads, sends and cleans up."""
    from bot.cli.serve import run_process

    run_process("courier")


@app.command()
def render() -> None:
    """Run one render worker alone: it makes the answers."""
    from bot.cli.serve import run_process

    run_process("render")


@app.command()
def demo() -> None:
    """Send a text and a voice note through the whole system, and keep the videos in outputs/demo/."""
    from bot.cli.demo import main as run_demo

    run_demo()


@app.command()
def migrate() -> None:
    """Bring the database's tables up to date."""
    from bot.cli.serve import run_migrations

    run_migrations(read_settings())


@app.command()
def bench(
    groups: Annotated[
        list[str] | None,
        typer.Argument(
            help="overhead, intake, webhooks, answer, video, sync, wits, voices, start or fresh; all but fresh if none."
        ),
    ] = None,
    gpu: Annotated[
        bool,
        typer.Option(
            "--gpu",
            help="Measure the engines of models: asr, emotion, llm, cosyvoice, voxcpm, echomimic, musetalk, "
            "realesrgan, facerestore.",
        ),
    ] = False,
    device: Annotated[str, typer.Option(help="With --gpu: cuda:0, cuda:1 …, or cpu to do without a card.")] = "",
) -> None:
    """Measure, print tables, and write outputs/bench.json (with --gpu: outputs/bench-gpu.json)."""
    from bot.cli.bench import run_bench

    run_bench(groups or [], gpu=gpu, device=device)


@app.command()
def doctor() -> None:
    """Check the surroundings, and say what to do about what is wrong."""
    from bot.cli.doctor import examine

    raise typer.Exit(examine())


@avatar.command("list")
def list_avatars() -> None:
    """Print the avatars, their voices, and whether their rigs and half-body pictures are there."""
    from bot.cli.catalogue import print_avatars

    print_avatars(read_settings())


@avatar.command("rig")
def rig(
    avatar_id: Annotated[str, typer.Argument(help="The avatar's id, as `smarttalker avatar list` names it.")],
) -> None:
    """Find the landmarks in an avatar's portrait, and store its rig."""
    from bot.cli.catalogue import make_rig

    make_rig(read_settings(), avatar_id)


@avatar.command("half")
def half(
    avatar_id: Annotated[str, typer.Argument(help="The avatar's id.")],
    picture: Annotated[Path, typer.Argument(help="JPEG, PNG or WebP: from above the head to below both hands.")],
) -> None:
    """Give an avatar its half-body picture, which the engine echomimic draws from."""
    from bot.cli.catalogue import make_half

    make_half(read_settings(), avatar_id, picture)


@avatar.command("idle")
def idle(
    avatar_id: Annotated[str, typer.Argument(help="The avatar's id.")],
    out: Annotated[Path | None, typer.Option(help="The MP4; if none, where the page looks for it.")] = None,
    size: Annotated[str, typer.Option(help="Pixels, even.")] = "512x512",
) -> None:
    """Write the film of an avatar that waits, to be played in a loop."""
    from bot.cli.catalogue import make_idle

    make_idle(read_settings(), avatar_id, out, size)


@avatar.command("add")
def add_avatar(
    photo: Annotated[Path, typer.Argument(help="JPEG, PNG or WebP: one face, seen from the front.")],
    name: Annotated[str, typer.Option(help="The name in Latin letters.")] = "",
    name_ar: Annotated[str, typer.Option(help="The name in Arabic.")] = "",
    voice_id: Annotated[str, typer.Option("--voice", help="Whose voice it speaks; the default avatar's if none.")] = "",
) -> None:
    """Make an avatar from a photo."""
    from bot.cli.adding import add_avatar as add

    add(read_settings(), photo, _names(name, name_ar), voice_id or None)


@avatar.command("remove")
def remove_avatar(avatar_id: Annotated[str, typer.Argument(help="The avatar's id.")]) -> None:
    """Delete an avatar that was added."""
    from bot.cli.adding import remove_avatar as remove

    remove(read_settings(), avatar_id)


@voice.command("add")
def add_voice(
    recording: Annotated[Path, typer.Argument(help="3 to 30 seconds of one person speaking: Ogg, MP3, M4A, WAV …")],
    name: Annotated[str, typer.Option(help="The name in Latin letters.")] = "",
    name_ar: Annotated[str, typer.Option(help="The name in Arabic.")] = "",
    consent: Annotated[bool, typer.Option("--consent", help="The speaker agrees; it is kept with the voice.")] = False,
    speaker: Annotated[str, typer.Option(help="Who speaks and agrees; the name if none.")] = "",
    language: Annotated[str, typer.Option(help="Of the recording: ar, en …; found out if none.")] = "",
    transcript: Annotated[str, typer.Option(help="Exactly what is said in it; written down if none.")] = "",
    to: Annotated[str, typer.Option(help="An added voice's id: the recording becomes one more of it.")] = "",
) -> None:
    """Make a voice from a recording, or add a recording in another language to a voice."""
    from bot.cli.adding import Recording
    from bot.cli.adding import add_voice as add

    said = Recording(recording, speaker, consent, language, transcript)
    add(read_settings(), said, _names(name, name_ar), to)


@voice.command("remove")
def remove_voice(voice_id: Annotated[str, typer.Argument(help="The voice's id.")]) -> None:
    """Delete a voice that was added."""
    from bot.cli.adding import remove_voice as remove

    remove(read_settings(), voice_id)


@voice.command("list")
def list_voices() -> None:
    """Print the voices, the languages of their recordings, and the engines that can speak them."""
    from bot.cli.catalogue import print_voices

    print_voices(read_settings())


def _names(english: str, arabic: str) -> dict[str, str]:
    return {language: name for language, name in (("en", english), ("ar", arabic)) if name.strip()}
