"""`python -m simulators telegram --port 0 …`, `… whatsapp …` or `… ollama …`; prints `ready http://…`."""

from __future__ import annotations

import argparse
import importlib
import sys
from typing import Final

from simulators.serving import serve

PLATFORMS: Final = ("ollama", "telegram", "whatsapp")


def main(arguments: list[str] | None = None) -> int:
    """Each platform's `simulators.<platform>.command` offers `add_options(parser)` and `app_from(options)`."""
    parser = argparse.ArgumentParser(prog="python -m simulators", description="Serves a simulator on loopback.")
    platforms = parser.add_subparsers(dest="platform", required=True)
    given = sys.argv[1:] if arguments is None else arguments
    for name in PLATFORMS:
        sub = platforms.add_parser(name)
        sub.add_argument("--port", type=int, default=0, help="0 means any free one")
        sub.add_argument("--quiet", action="store_true", help="do not say when it is ready")
        if name in given[:1]:
            importlib.import_module(f"simulators.{name}.command").add_options(sub)
    options = parser.parse_args(given)
    command = importlib.import_module(f"simulators.{options.platform}.command")
    serve(command.app_from(options), options.port, quiet=options.quiet)
    return 0


if __name__ == "__main__":
    sys.exit(main())
