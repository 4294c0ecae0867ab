"""A folder of models as `smarttalker models fetch` leaves it, with doubles in the place of weights and packages."""

from __future__ import annotations

import json
import subprocess
import sys
import sysconfig
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from core.settings import HOME
from core.weights.environment import EnvironmentFetcher
from core.weights.fetching import Way
from core.weights.folder import Record, hashed, keep_record, write_record
from core.weights.manifest import Hub, Manifest, Repository, read_manifest
from simulators.voices.handle import Double

BOTH = ("cosyvoice", "voxcpm")

_WEIGHTS: Mapping[str, Mapping[str, str]] = {
    "cosyvoice3": {
        "cosyvoice3.yaml": "sample_rate: 24000\n",
        "configuration.json": "{}\n",
        **dict.fromkeys(("llm.pt", "flow.pt", "hift.pt", "campplus.onnx", "speech_tokenizer_v3.onnx"), "double\n"),
        **{f"CosyVoice-BlankEN/{name}": "{}\n" for name in ("config.json", "vocab.json", "tokenizer_config.json")},
    },
    "voxcpm2": {
        "config.json": json.dumps({"architecture": "voxcpm2", "dtype": "bfloat16", "max_length": 8192}),
        "model.safetensors": "double\n",
        "audiovae.pth": "double\n",
        "tokenizer.json": "{}\n",
        "tokenizer_config.json": "{}\n",
    },
}
_LOGGING = """import logging

logging.basicConfig(level=logging.DEBUG, format="%(asctime)s %(levelname)s %(message)s")
logging.getLogger("numba").setLevel(logging.WARNING)
"""
_CHECKOUT = {
    **dict.fromkeys(("cosyvoice/__init__.py", "cosyvoice/cli/__init__.py", "cosyvoice/utils/__init__.py"), ""),
    "cosyvoice/utils/file_utils.py": _LOGGING,
    "cosyvoice/cli/model.py": "from simulators.voices.cosyvoice.model import CosyVoice3Model as CosyVoice3Model\n",
    "cosyvoice/cli/frontend.py": "from simulators.voices.cosyvoice.frontend import"
    " CosyVoiceFrontEnd as CosyVoiceFrontEnd\n",
    "cosyvoice/cli/cosyvoice.py": "import matcha.utils.audio\n\nimport cosyvoice.utils.file_utils\n"
    "from simulators.voices.cosyvoice.models import AutoModel as AutoModel, CosyVoice3 as CosyVoice3\n",
    **{f"third_party/Matcha-TTS/matcha/{name}": "" for name in ("__init__.py", "utils/__init__.py", "utils/audio.py")},
}
_PACKAGES = {
    "cosyvoice": {
        "torch.py": "from simulators.voices.torch import *\nfrom simulators.voices.torch import __version__\n"
    },
    "voxcpm": {
        "torch.py": "from simulators.voices.torch import *\nfrom simulators.voices.torch import __version__\n",
        "voxcpm/__init__.py": "from voxcpm.core import VoxCPM\n",
        "voxcpm/core.py": "from simulators.voices.voxcpm.core import VoxCPM as VoxCPM\n",
    },
}


@dataclass(frozen=True)
class Models:
    """The folder, and what was written into it."""

    folder: Path
    cosyvoice: Double
    voxcpm: Double


def write_models(folder: Path, which: Iterable[str] = BOTH) -> Models:
    """Half a second for both. The doubles run in their own interpreters, find our packages there, and speak."""
    folder.mkdir(parents=True, exist_ok=True)
    manifest = read_manifest()
    for engine in which:
        weights = {"cosyvoice": "cosyvoice3", "voxcpm": "voxcpm2"}[engine]
        _write(folder / weights, _WEIGHTS[weights])
        keep_record(folder / weights, _pinned(manifest, weights))
        _make_environment(folder, f"{engine}-env", _PACKAGES[engine], manifest)
    if "cosyvoice" in which:
        _write(folder / "cosyvoice-repo", _CHECKOUT)
        keep_record(folder / "cosyvoice-repo", _pinned(manifest, "cosyvoice-repo"))
    return Models(folder, Double(folder / "cosyvoice3"), Double(folder / "voxcpm2"))


def _pinned(manifest: Manifest, name: str) -> str:
    """What the manifest asks for."""
    source = manifest.weights[name].source
    return source.revision if isinstance(source, Hub) else source.commit if isinstance(source, Repository) else ""


def _write(folder: Path, files: Mapping[str, str]) -> None:
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")


def _make_environment(folder: Path, name: str, packages: Mapping[str, str], manifest: Manifest) -> None:
    """A venv that has the doubles' packages before ours."""
    venv = folder / name / "venv"
    command = [sys.executable, "-I", "-m", "venv", "--without-pip", str(venv)]
    subprocess.run(command, check=True, stdin=subprocess.DEVNULL, timeout=60)
    site = next((venv / "lib").glob("python*/site-packages"))
    _write(site, packages)
    (site / "ours.pth").write_text(f"{sysconfig.get_path('purelib')}\n{HOME}\n", encoding="utf-8")
    revision = EnvironmentFetcher(manifest.weights[name], Way(folder)).revision
    write_record(folder / name, Record(revision, (hashed(folder / name, "venv/pyvenv.cfg"),)))
