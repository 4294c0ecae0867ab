"""What pip-audit found, a line a package: `python -m scripts.audited FOLDER LOCK…`, the folder with `<lock>.json`."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

CLEAN, VULNERABLE, UNKNOWN = 0, 1, 2
"""Exit statuses."""
SHOWN = 5
"""Names of packages that could not be looked up, before it is only counted how many more there are."""


@dataclass
class Audited:
    """asked: packages that the index knew. found: a line a vulnerability. unknown: packages and locks without an
    answer."""

    asked: int = 0
    found: list[str] = field(default_factory=list)
    unknown: list[str] = field(default_factory=list)

    @property
    def status(self) -> int:
        """A vulnerability that is known outweighs what is not."""
        return VULNERABLE if self.found else UNKNOWN if self.unknown or not self.asked else CLEAN


def read(folder: Path, locks: Iterable[str]) -> Audited:
    """What was written for each lock; one without a readable report counts as unknown."""
    audited = Audited()
    for lock in locks:
        try:
            packages = json.loads((folder / f"{Path(lock).name}.json").read_text())["dependencies"]
        except (OSError, ValueError, KeyError):
            audited.unknown.append(lock)
            continue
        for package in packages:
            _add(audited, lock, package)
    return audited


def _add(audited: Audited, lock: str, package: dict[str, Any]) -> None:
    if "skip_reason" in package:
        audited.unknown.append(package["name"])
        return
    audited.asked += 1
    for each in package["vulns"]:
        fixed = ", ".join(each["fix_versions"]) or "no release"
        audited.found.append(f"{package['name']} {package['version']} ({lock}): {each['id']}, mended in {fixed}")


def told(audited: Audited) -> str:
    """For people."""
    lines = list(dict.fromkeys(audited.found))
    if audited.unknown:
        names = list(dict.fromkeys(audited.unknown))
        more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
        lines.append(f"NOT AUDITED, the index gave no advisories: {', '.join(names[:SHOWN])}{more}")
        lines.append("run it where PyPI itself can be reached: a mirror serves packages, and mostly no advisories")
    lines.append(f"{audited.asked} packages asked about, {len(audited.found)} vulnerabilities known")
    return "\n".join(lines)


def main(arguments: Sequence[str]) -> int:
    """The exit status."""
    folder, *locks = arguments
    audited = read(Path(folder), locks)
    print(told(audited))
    return audited.status


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
