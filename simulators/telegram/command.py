"""`python -m simulators telegram`: the options, and the application that they ask for."""

from __future__ import annotations

import argparse
import math
from dataclasses import replace

from fastapi import FastAPI

from simulators.telegram.app import create_app
from simulators.telegram.config import DEMO_TOKEN, Rates, TelegramConfig


def add_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--token", default=DEMO_TOKEN, help="the bot's token")
    parser.add_argument("--username", default=TelegramConfig.username, help="the bot's name after the @")
    parser.add_argument("--local", action="store_true", help="files as a Bot API server with --local takes them")
    parser.add_argument("--no-rates", action="store_true", help="no limits on how fast the bot sends")
    parser.add_argument("--no-privacy", action="store_true", help="in groups the bot gets every message")


def app_from(options: argparse.Namespace) -> FastAPI:
    config = TelegramConfig.local(options.token) if options.local else TelegramConfig(token=options.token)
    rates = Rates(math.inf, math.inf, group_per_min=math.inf) if options.no_rates else config.rates
    return create_app(replace(config, username=options.username, rates=rates, privacy=not options.no_privacy))
