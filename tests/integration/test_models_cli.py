"""`smarttalker models` as a person uses it, against a server on this machine."""

from __future__ import annotations

import os
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from bot.cli import main
from core.settings import HOME
from tests.weights_entries import FILES, LARGE, MODEL
from tests.weights_server import COMMIT, Fault, Shelf, serving, sha256

OTHERS = "http://127.0.0.1:9"
MANIFEST = """
[weights.tiny]
layer = "asr"
engine = "funasr"
licence = "Apache-2.0"
terms = "open"
gpu_mb = 3000
languages = ["ar", "en", "zh", "ja"]
needs = ["page"]
hub = {{ id = "o/n", revision = "{commit}", files = ["config.yaml", "sub/*", "model.pt"] }}

[weights.page]
engine = "realesrgan"
licence = "BSD-3-Clause"
terms = "open"
release = {{ files = [{{ path = "x.pth", bytes = {bytes}, sha256 = "{sha256}", url = "{url}/v1/x.pth" }}] }}

[weights.asking]
layer = "upscale"
engine = "facerestore"
licence = "CC-BY-NC-4.0"
terms = "non-commercial"
hub = {{ id = "o/n", revision = "main", files = ["config.yaml"] }}

[weights.huge]
layer = "video"
engine = "echomimic"
licence = "MIT"
terms = "open"
release = {{ files = [{{ path = "x", bytes = 1_000_000_000_000_000, sha256 = "{sha256}", url = "{url}/x" }}] }}

[sets.gpu-24g]
card_gb = 24
llm_model = "qwen2.5:14b"
llm_context = 8192
weights = ["tiny"]
engines = {{ asr = "funasr", tts_ar = "voxcpm", video = "echomimic" }}
"""
OF_OLLAMA = """
[weights.mind]
layer = "llm"
engine = "ollama"
licence = "Apache-2.0"
terms = "open"
ollama = { model = "qwen2.5:7b" }
"""
Models = Callable[..., "Said"]


@dataclass
class Said:
    status: int
    out: str
    err: str


@pytest.fixture
def shelf() -> Iterator[Shelf]:
    with serving() as shelf:
        shelf.hub("o/n", FILES)
        shelf.contents["/v1/x.pth"] = LARGE
        yield shelf


@pytest.fixture
def environment(shelf: Shelf, tmp_path: Path) -> dict[str, str]:
    said = MANIFEST.format(commit=COMMIT, bytes=len(LARGE), sha256=sha256(LARGE), url=shelf.url)
    (tmp_path / "manifest.toml").write_text(said, encoding="utf-8")
    kept = {name: text for name, text in os.environ.items() if not name.startswith(("SMARTTALKER_", "HF_"))}
    ours = {"MODELS_DIR": str(tmp_path / "models"), "HUB_URL": f"{shelf.url}/", "OLLAMA_URL": OTHERS}
    return kept | {f"SMARTTALKER_{name}": text for name, text in ours.items()} | {"COLUMNS": "100"}


@pytest.fixture
def models(
    environment: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Models:
    """Runs `smarttalker models …` in this process, from a folder without an .env."""
    monkeypatch.chdir(tmp_path)

    def run(command: str, **settings: str) -> Said:
        for name in set(os.environ) - set(environment):
            monkeypatch.delenv(name)
        for name, text in (environment | settings).items():
            monkeypatch.setenv(name, text)
        manifest = ["--manifest", str(tmp_path / "manifest.toml")] if "plan" not in command else []
        monkeypatch.setattr(sys, "argv", ["smarttalker", "models", *shlex.split(command), *manifest])
        with pytest.raises(SystemExit) as ended:
            main()
        said = capsys.readouterr()
        assert "Traceback" not in said.err
        return Said(int(ended.value.code or 0), said.out, said.err)

    return run


def test_from_nothing_to_whole_to_damaged_to_mended_to_removed(models: Models, shelf: Shelf, tmp_path: Path) -> None:
    fetched = models("fetch tiny")
    assert (fetched.status, fetched.err) == (0, "")
    assert fetched.out.splitlines() == [
        "page  licence: BSD-3-Clause",
        "tiny  licence: Apache-2.0",
        fetched.out.splitlines()[2],
        "✓ page is fetched: 1 file, 10.2 kB",
        "✓ tiny is fetched: 3 files, 10.3 kB",
    ]
    assert fetched.out.splitlines()[2].startswith(f"20.5 kB to fetch into {tmp_path / 'models'}; ")
    assert models("verify").out == "✓ tiny 3 files, 10.3 kB\n✓ page 1 file, 10.2 kB\n"
    (tmp_path / "models" / "tiny" / "model.pt").write_bytes(LARGE[:-1] + b"x")
    (tmp_path / "models" / "page" / "x.pth").unlink()
    wrong = models("verify")
    assert (wrong.status, wrong.out.splitlines()) == (
        1,
        [
            f"✗ tiny: model.pt has the hash {sha256(LARGE[:-1] + b'x')}, not {sha256(LARGE)}",
            "  mend it: smarttalker models fetch tiny",
            "✗ page: x.pth is missing",
            "  mend it: smarttalker models fetch page",
        ],
    )
    mended = models("fetch tiny")
    assert (mended.status, models("verify").status) == (0, 0)
    assert len(shelf.asked_for(MODEL)) == 2
    assert models("fetch tiny").out.splitlines()[-2:] == ["✓ page is here already", "✓ tiny is here already"]
    assert models("remove tiny page").out == "tiny is removed\npage is removed\n"
    assert models("verify").out == f"No weights are in {tmp_path / 'models'}.\n"


def test_the_list_tells_what_is_here_in_part_missing_or_not_needed(
    models: Models, shelf: Shelf, tmp_path: Path
) -> None:
    shelf.fail(MODEL, Fault(404))
    broken = models("fetch tiny")
    assert (broken.status, broken.err.count("\n")) == (1, 1)
    assert broken.err.startswith("error: tiny: ")
    said = models("list")
    states = {line.split()[0]: line.split()[-1] for line in said.out.splitlines() if line.split()[1:]}
    assert [states[name] for name in ("tiny", "page", "asking", "huge")] == ["part", "here", "needed", "needed"]
    (row,) = (line for line in said.out.splitlines() if line.startswith("tiny "))
    assert row.split() == ["tiny", "funasr", "ar", "en", "+2", "Apache-2.0", "?", "2.9", "GB", "part"]
    assert "non-commercial: CC-BY-NC-4.0" in said.out


def test_a_licence_is_asked_for(models: Models, shelf: Shelf, tmp_path: Path) -> None:
    refused = models("fetch asking page")
    assert refused.status == 1
    assert "asking  licence: CC-BY-NC-4.0, not for commercial use: https://huggingface.co/o/n\n" in refused.out
    assert refused.err == (
        "error: not for commercial use: asking (CC-BY-NC-4.0). Nothing was fetched. --accept-licence says that you"
        " agree to their terms; the others alone: `smarttalker models fetch page`\n"
    )
    assert shelf.asked == []
    assert models("fetch asking --accept-licence").status == 0
    assert models("fetch asking").status == 0
    assert '"licence": "CC-BY-NC-4.0"' in (tmp_path / "models" / "asking" / "weights.json").read_text()


def test_a_model_of_a_server_that_is_away_is_not_passed_over(models: Models, tmp_path: Path) -> None:
    """Its record tells that it was fetched."""
    with (tmp_path / "manifest.toml").open("a", encoding="utf-8") as manifest:
        manifest.write(OF_OLLAMA)
    (tmp_path / "models" / "mind").mkdir(parents=True)
    (tmp_path / "models" / "mind" / "weights.json").write_text('{"revision": "1"}')
    said = models("verify")
    assert (said.status, said.out.splitlines()) == (
        1,
        [
            f"✗ Ollama does not answer at {OTHERS}: start it with `ollama serve`, or set SMARTTALKER_OLLAMA_URL",
            "  mend it: smarttalker models fetch mind",
        ],
    )


def test_a_set_is_fetched_and_its_settings_are_told(models: Models) -> None:
    said = models("fetch --profile gpu-24g")
    assert said.status == 0
    assert said.out.startswith("page  licence: BSD-3-Clause\ntiny  licence: Apache-2.0\n")
    assert said.out.splitlines()[-7:] == [
        "In .env, these lines choose what fits a card of 24 GB:",
        "SMARTTALKER_PROFILE=gpu",
        "SMARTTALKER_ASR=funasr",
        "SMARTTALKER_TTS_AR=voxcpm",
        "SMARTTALKER_VIDEO=echomimic",
        "SMARTTALKER_LLM_MODEL=qwen2.5:14b",
        "SMARTTALKER_LLM_CONTEXT=8192",
    ]


def test_a_mirror_or_a_folder_of_another_machine_serves(models: Models, shelf: Shelf, tmp_path: Path) -> None:
    assert models("fetch tiny").status == 0
    other = (tmp_path / "models").rename(tmp_path / "other")
    for path in other.rglob("*.*"):
        shelf.contents[f"/mirror/{path.relative_to(other)}"] = path.read_bytes() if path.is_file() else b""
    shelf.asked.clear()
    assert models(f"fetch tiny --from {other}").status == 0
    assert shelf.asked == []
    assert models("remove tiny page").status == 0
    assert models(f"fetch tiny --mirror {shelf.url}/mirror").status == 0
    assert all(each.path.startswith("/mirror/") for each in shelf.asked)
    assert models("verify").status == 0


def test_the_hubs_token_is_sent_if_the_operator_has_set_it(models: Models, shelf: Shelf) -> None:
    models("fetch asking --accept-licence", HF_TOKEN="hf_1")
    models("remove asking")
    models("fetch asking --accept-licence", HF_TOKEN="hf_1", SMARTTALKER_HUB_TOKEN="hf_2")
    assert {each.headers.get("Authorization") for each in shelf.asked} == {"Bearer hf_1", "Bearer hf_2"}


@pytest.mark.parametrize(
    ("command", "said"),
    [
        ("fetch huge", "error: 1000000.0 GB are to be fetched, and only "),
        ("fetch other", "error: no weights are called other; there are tiny, page, asking, huge"),
        ("fetch --profile other", "error: no set is called other; there are gpu-24g"),
        ("fetch tiny --profile gpu-24g", "error: name weights or a --profile, not both"),
        ("fetch tiny --mirror ftp://x", "error: --mirror ftp://x: give a URL"),
        ("fetch tiny --mirror http://x:port", "error: an address that is none: Invalid port"),
        ("fetch tiny --from /not/there", "error: --from /not/there: there is no such folder"),
        ("fetch tiny --from /proc/self/task", "error: /proc/self/task has no folder page"),
        ("verify other", "error: no weights are called other"),
        ("remove tiny ../../etc", "error: no weights are called ../../etc"),
    ],
)
def test_what_is_wrong_is_one_line(models: Models, command: str, said: str) -> None:
    result = models(command)
    assert (result.status, result.err.count("\n")) == (1, 1)
    assert result.err.startswith(said)


def test_the_cpus_engines_need_nothing(models: Models, shelf: Shelf) -> None:
    assert models("fetch").out == "Nothing to fetch: the engines of profile cpu need no weights.\n"
    assert shelf.asked == []


def test_a_plan_is_printed_for_each_size(models: Models) -> None:
    said = models("plan --card 8 --card 48")
    assert [line.split(",")[0] for line in said.out.splitlines() if " GB, set gpu-" in line] == ["8 GB", "48 GB"]
    assert (said.status, said.err) == (0, "")


def test_ctrl_c_leaves_what_the_next_run_goes_on_from(
    models: Models, environment: dict[str, str], shelf: Shelf, tmp_path: Path
) -> None:
    shelf.fail(MODEL, Fault(cut=3000), Fault(pause_s=30))
    command = [
        sys.executable,
        "-m",
        "bot.cli",
        "models",
        "fetch",
        "tiny",
        "--manifest",
        str(tmp_path / "manifest.toml"),
    ]
    with subprocess.Popen(
        command, env={**environment, "PYTHONPATH": str(HOME)}, cwd=tmp_path, stdout=subprocess.PIPE,
        stderr=subprocess.PIPE, text=True,
    ) as process:  # fmt: skip
        while len(shelf.asked_for(MODEL)) < 2 and process.poll() is None:
            time.sleep(0.02)
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=30)
    assert err == "stopped: what has come is kept, and the same command goes on from there\n"
    assert process.returncode == 130
    assert models("fetch tiny").status == 0
    assert shelf.asked_for(MODEL)[-1].headers["Range"] == "bytes=3000-"
