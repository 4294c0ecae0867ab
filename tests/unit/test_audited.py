"""What an audit of the dependencies says: no answer is not a good one."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from scripts.audited import CLEAN, UNKNOWN, VULNERABLE, main

GOOD = {"name": "sound", "version": "1.0", "vulns": []}
BAD = {"name": "holed", "version": "2.0", "vulns": [{"id": "PYSEC-1", "fix_versions": ["2.1"], "aliases": []}]}
UNHEARD = {"name": "unheard", "skip_reason": "Dependency not found on PyPI"}


@pytest.mark.parametrize(
    ("packages", "status", "words"),
    [
        ([GOOD], CLEAN, "1 packages asked about, 0 vulnerabilities known"),
        ([GOOD, BAD], VULNERABLE, "holed 2.0 (some.lock): PYSEC-1, mended in 2.1"),
        ([GOOD, UNHEARD], UNKNOWN, "NOT AUDITED, the index gave no advisories: unheard"),
        ([UNHEARD, BAD], VULNERABLE, "NOT AUDITED"),
        ([], UNKNOWN, "0 packages asked about"),
        (None, UNKNOWN, "NOT AUDITED, the index gave no advisories: some.lock"),
    ],
)
def test_what_an_audit_says(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], packages: list[dict[str, Any]] | None, status: int, words: str
) -> None:
    if packages is not None:
        (tmp_path / "some.lock.json").write_text(json.dumps({"dependencies": packages}))
    assert main([str(tmp_path), "some.lock"]) == status
    assert words in capsys.readouterr().out


def test_many_unheard_packages_are_counted(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    packages = [{**UNHEARD, "name": f"p{number}"} for number in range(9)]
    (tmp_path / "some.lock.json").write_text(json.dumps({"dependencies": packages}))
    main([str(tmp_path), "some.lock"])
    assert "p0, p1, p2, p3, p4 and 4 more" in capsys.readouterr().out
