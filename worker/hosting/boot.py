"""First file of a host: `python -I boot.py PARENT NAME ROOT PACKAGES PATH…`, with a socket as standard input.

PARENT is the pid to die with, NAME is for whoever looks at the processes. ROOT holds our packages, of which those named
(with commas between) are found and nothing else beside them: what else lies there is not for this environment. Modules
are looked for in each PATH last.
"""

from __future__ import annotations

import atexit
import faulthandler
import os
import sys
from collections.abc import Sequence
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder
from types import ModuleType

_OOM_SCORE = "500"
"""proc(5), oom_score_adj: where the machine's memory ends, an engine goes before the process that can start it anew."""


class OurPackages(MetaPathFinder):
    """Finds some top-level packages in a folder, before all others of the same name."""

    def __init__(self, root: str, names: Sequence[str]) -> None:
        self._root, self._names = root, frozenset(names)

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        return PathFinder.find_spec(fullname, [self._root], target) if fullname in self._names else None


def own_socket() -> int:
    """Standard input for frames alone, under a number that children don't inherit: they read nothing, and what is
    printed goes to standard error."""
    wire = os.dup(0)
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    os.dup2(2, 1)
    return wire


def go_first() -> None:
    """Where the machine's memory ends; best effort."""
    try:
        with open("/proc/self/oom_score_adj", "w") as file:  # noqa: PTH123  # pathlib is not worth its import here
            file.write(_OOM_SCORE)
    except OSError:
        return


def main() -> None:
    wire = own_socket()
    parent, root, packages, paths = int(sys.argv[1]), sys.argv[3], sys.argv[4].split(","), sys.argv[5:]
    sys.meta_path.insert(0, OurPackages(root, packages))
    sys.path.extend(path for path in paths if path not in sys.path)
    faulthandler.enable()
    go_first()
    from core.lifeline import die_with_parent

    die_with_parent(parent)
    from worker.hosting.serving import serve

    serve(wire)
    # What was registered for the end is done; taking libraries apart would only take time, and some crash at it.
    atexit._run_exitfuncs()
    sys.stdout.flush()
    os._exit(0)


if __name__ == "__main__":
    main()
