"""The manifest: what is refused, and that the error names file and entry."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.errors import ConfigurationError, NotFound
from core.kinds import Layer
from core.weights.manifest import Environment, File, Hub, Ollama, Release, Repository, Weights, read_manifest

HEAD = 'layer = "asr"\nengine = "e"\nlicence = "MIT"\nterms = "open"\n'
HUB = 'hub = { id = "o/n", revision = "main", files = ["x"] }\n'
GOOD = f"[weights.a]\n{HEAD}{HUB}"
SHA = "0" * 64


def written(folder: Path, text: str) -> Path:
    path = folder / "manifest.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_every_kind_of_source_is_read(tmp_path: Path) -> None:
    sources = {
        "hub": f'{{ id = "o/n", revision = "main", files = ["x/*", {{ path = "y", bytes = 1, sha256 = "{SHA}" }}] }}',
        "release": '{ files = [{ path = "x.pth", url = "https://h/x.pth" }] }',
        "ollama": '{ model = "qwen2.5:14b" }',
        "repository": f'{{ url = "https://h/o/n", commit = "{SHA[:40]}", submodules = ["third/m"] }}',
        "environment": '{ lock = "models/environments/a.lock", python = "3.11" }',
    }
    text = "".join(f"[weights.{kind}]\n{HEAD}{kind} = {source}\n" for kind, source in sources.items())
    found = read_manifest(written(tmp_path, text)).weights
    assert [each.source for each in found.values()] == [
        Hub("o/n", "main", (File("x/*"), File("y", 1, SHA))),
        Release((File("x.pth", url="https://h/x.pth"),)),
        Ollama("qwen2.5:14b"),
        Repository("https://h/o/n", SHA[:40], ("third/m",)),
        Environment("models/environments/a.lock", "3.11"),
    ]
    assert found["hub"].layer is Layer.ASR


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[weights", "is no TOML"),
        ("weights = 3", "weights must be a table"),
        ("[other]\n", "other is unknown here"),
        (f"[weights.A]\n{HEAD}{HUB}", "weights.A.name “A” is no name"),
        (f'[weights."../a"]\n{HEAD}{HUB}', "is no name"),
        (f"[weights.a]\n{HUB}", "weights.a.engine is missing; weights.a.licence is missing; weights"),
        (f"[weights.a]\n{HEAD}", "weights.a needs exactly one of hub, release, ollama, repository, environment; it"),
        (f'{GOOD}ollama = {{ model = "a:b" }}', "it has hub and ollama"),
        (f"{GOOD}colour = 1", "weights.a.colour is unknown here"),
        (f"{GOOD}gpu_mb = -1", "weights.a.gpu_mb Input should be greater than or equal to 0"),
        (f'{GOOD}gpu_mb = "2"', "weights.a.gpu_mb must be a whole number"),
        (f'{GOOD}languages = ["Arabic"]', "weights.a.languages[0]"),
        (f'{GOOD}needs = ["b"]', "weights.a.needs: no weights are called b"),
        (GOOD.replace("open", "free"), "weights.a.terms Input should be 'open' or 'non-commercial'"),
        (GOOD.replace('"x"', '"../x"'), "weights.a hub.files[0].path “../x” is no path below a folder"),
        (GOOD.replace('"x"', '"/x"'), "is no path below a folder"),
        (GOOD.replace('"x"', '"a/./x"'), "is no path below a folder"),
        (GOOD.replace('"x"', r'"a\\x"'), "is no path below a folder"),
        (GOOD.replace('"x"', '"weights.json"'), "keeps for itself"),
        (GOOD.replace('"x"', '"x.part"'), "keeps for itself"),
        (GOOD.replace('"x"', ""), "hub.files"),
        (GOOD.replace('"x"', '"x", "x"'), "weights.a.hub.files: x stands there twice"),
        (GOOD.replace('"x"', '{ path = "*", bytes = 1 }'), "it has neither bytes nor sha256"),
        (GOOD.replace('"x"', '{ path = "x", sha256 = "12" }'), "hub.files[0].sha256"),
        (GOOD.replace('"x"', '{ path = "x", url = "https://h/x" }'), "the hub's files have none"),
        (GOOD.replace("o/n", "o/../n"), "hub.id"),
        (GOOD.replace("main", "a/../b"), "hub.revision"),
        (GOOD.replace(HUB, 'release = { files = ["x"] }'), "release.files: x needs a url"),
        (GOOD.replace(HUB, 'release = { files = [{ path = "x", url = "file:///x" }] }'), "release.files[0].url"),
        (GOOD.replace(HUB, 'repository = { url = "https://h/x", commit = "main" }'), "repository.commit"),
        (f"{GOOD}[sets.s]\ncard_gb = 8\nengines = {{ asr = 'e' }}\nweights = ['b']", "sets.s.weights: no weights are"),
        (f"{GOOD}[sets.s]\ncard_gb = 8\nengines = {{ ears = 'e' }}", "sets.s.engines.ears: no such setting"),
        (f"{GOOD}[sets.s]\nengines = {{}}", "sets.s.card_gb is missing"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_named(tmp_path: Path, text: str, said: str) -> None:
    path = written(tmp_path, text)
    with pytest.raises(ConfigurationError) as caught:
        read_manifest(path)
    assert str(caught.value).startswith(f"{path}")
    assert said in str(caught.value)


def test_a_manifest_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"m\.toml can't be read: No such file"):
        read_manifest(tmp_path / "m.toml")


def test_what_is_needed_comes_first_and_once_even_in_a_circle(tmp_path: Path) -> None:
    needs = {"a": ["b", "c"], "b": ["c"], "c": ["a"], "d": []}
    text = "".join(f"[weights.{name}]\n{HEAD}{HUB}needs = {others}\n" for name, others in needs.items())
    manifest = read_manifest(written(tmp_path, text))
    assert [each.name for each in manifest.with_needs(["a", "d", "b"])] == ["c", "b", "a", "d"]
    with pytest.raises(NotFound, match="no weights are called x; there are a, b, c, d"):
        manifest.with_needs(["x"])
    with pytest.raises(NotFound, match="no set is called x"):
        manifest.set("x")


@pytest.mark.parametrize(
    ("files", "known", "size"),
    [
        ((File("a", 1), File("b", 2)), 9, 3),
        ((File("a", 1), File("b")), 9, 9),
        ((File("a"),), None, None),
    ],
)
def test_the_size_is_the_files_or_what_the_entry_says(
    files: tuple[File, ...], known: int | None, size: int | None
) -> None:
    weights = Weights("a", "e", Hub("o/n", "main", files), "MIT", "open", bytes=known)
    assert weights.known_bytes == size


@pytest.mark.parametrize(
    ("name", "page"),
    [
        ("xlm-emo", "https://huggingface.co/msgfrom96/xlm_emo_multi"),
        ("qwen2.5-3b", "https://ollama.com/library/qwen2.5:3b"),
        ("codeformer", "https://github.com/sczhou/CodeFormer"),
        ("cosyvoice-repo", "https://github.com/FunAudioLLM/CosyVoice"),
        ("cosyvoice-env", ""),
    ],
)
def test_the_page_where_terms_are_read(name: str, page: str) -> None:
    assert read_manifest().weights[name].page == page
