"""`python -m simulators whatsapp`: its options."""

from __future__ import annotations

import argparse
from dataclasses import fields
from typing import Final

from fastapi import FastAPI

from simulators.whatsapp.app import create_app
from simulators.whatsapp.config import Config, Limits

TEXTS: Final = ("phone_id", "waba_id", "app_id", "display_phone", "token", "app_secret", "verify_token", "webhook_url")


def add_options(parser: argparse.ArgumentParser) -> None:
    """`--phone-id`, `--token` … of `Config`, and `--pair-gap-s` and the other numbers of `Limits`."""
    defaults = Config()
    for name in TEXTS:
        parser.add_argument(f"--{name.replace('_', '-')}", default=getattr(defaults, name))
    for limit in fields(Limits):
        default = getattr(defaults.limits, limit.name)
        parser.add_argument(f"--{limit.name.replace('_', '-')}", type=type(default), default=default)
    parser.add_argument("--unread", action="store_true", help="people do not read what reaches them")


def app_from(options: argparse.Namespace) -> FastAPI:
    limits = Limits(**{limit.name: getattr(options, limit.name) for limit in fields(Limits)})
    texts = {name: getattr(options, name) for name in TEXTS}
    return create_app(Config(**texts, reads=not options.unread, limits=limits))
