"""`python -m simulators ollama`: its options."""

from __future__ import annotations

import argparse

from fastapi import FastAPI

from simulators.ollama.app import create_app
from simulators.ollama.config import Config
from simulators.ollama.models import known


def add_options(parser: argparse.ArgumentParser) -> None:
    """`--model NAME` (as often as wanted), and the seconds and sizes of `Config`."""
    defaults = Config()
    parser.add_argument("--model", action="append", help="pulled already; may be given again")
    parser.add_argument("--card-mb", type=float, default=defaults.card_mb)
    parser.add_argument("--system-mb", type=float, default=defaults.system_mb)
    for name in ("load-s", "unload-s", "token-s", "pull-s"):
        parser.add_argument(f"--{name}", type=float, default=0.0)
    parser.add_argument("--queue", type=int, default=defaults.queue)


def app_from(options: argparse.Namespace) -> FastAPI:
    models = tuple(known(each) for each in options.model or ["qwen2.5:14b"])
    names = ("card_mb", "system_mb", "load_s", "unload_s", "token_s", "pull_s", "queue")
    return create_app(Config(models=models, **{name: getattr(options, name) for name in names}))
