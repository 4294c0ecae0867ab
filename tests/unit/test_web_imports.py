"""What a process does not use it does not load."""

from __future__ import annotations

import subprocess
import sys

import pytest


@pytest.mark.parametrize(
    ("module", "absent"),
    [
        ("bot.app", {"av", "numpy", "cv2", "onnxruntime", "pocketsphinx", "alembic", "fluent.runtime", "worker"}),
        ("bot.channels.web.send", {"fastapi", "starlette", "uvicorn", "sqlalchemy"}),
        ("bot.channels.web.limits", {"fastapi", "starlette", "uvicorn", "sqlalchemy", "redis"}),
    ],
)
def test_heavy_modules_stay_out(module: str, absent: set[str]) -> None:
    code = f"import sys, {module}; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert not absent & set(loaded)
