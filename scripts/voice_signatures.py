#!/usr/bin/env python3
"""`python scripts/voice_signatures.py SOURCES…` writes simulators/voices/signatures.json anew: names and parameters of
the classes and functions that our voice engines meet, read from folders of sources without running them: a checkout of
CosyVoice at the commit that models/manifest.toml pins, the unpacked wheel of VoxCPM that its lock pins. A package that
none of them holds keeps what the file has of it.
"""

from __future__ import annotations

import ast
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

OUT = Path(__file__).resolve().parents[1] / "simulators" / "voices" / "signatures.json"

WANTED: dict[str, dict[str, tuple[str, ...]]] = {
    "cosyvoice": {
        "cosyvoice.cli.cosyvoice": ("AutoModel", "CosyVoice", "CosyVoice2", "CosyVoice3"),
        "cosyvoice.cli.frontend": ("CosyVoiceFrontEnd",),
        "cosyvoice.cli.model": ("CosyVoiceModel", "CosyVoice2Model", "CosyVoice3Model"),
        "cosyvoice.llm.llm": ("TransformerLM", "Qwen2LM", "CosyVoice3LM"),
        "cosyvoice.utils.file_utils": ("load_wav",),
    },
    "voxcpm": {
        "voxcpm.core": ("VoxCPM",),
        "voxcpm.model.voxcpm2": ("VoxCPM2Model",),
    },
}
_SOURCES = ("", "src")
"""Where a checkout keeps its packages."""
_HOW = ("classmethod", "staticmethod", "property")


def main(checkouts: list[Path]) -> None:
    table = json.loads(OUT.read_text(encoding="utf-8")) if OUT.exists() else {}
    for checkout in checkouts:
        table.update(read(checkout))
    OUT.write_text(json.dumps(table, indent=1, sort_keys=True) + "\n", encoding="utf-8")


def read(checkout: Path) -> dict[str, Any]:
    """{package: {module: {name: class or function}}} of the packages that the checkout holds. Raises LookupError where
    one of them lacks a name."""
    found = {}
    for package, modules in WANTED.items():
        root = next((checkout / each for each in _SOURCES if (checkout / each / package).is_dir()), None)
        if root is not None:
            found[package] = {module: dict(_module(root, module, names)) for module, names in modules.items()}
    return found


def _module(root: Path, module: str, names: tuple[str, ...]) -> Iterator[tuple[str, dict[str, Any]]]:
    path = root.joinpath(*module.split(".")).with_suffix(".py")
    tree = ast.parse(path.read_text(encoding="utf-8"))
    known = {node.name: node for node in tree.body if isinstance(node, ast.ClassDef | ast.FunctionDef)}
    for name in names:
        if name not in known:
            raise LookupError(f"{path} has no {name}")
        node = known[name]
        yield name, _class(node) if isinstance(node, ast.ClassDef) else {"parameters": _parameters(node)}


def _class(node: ast.ClassDef) -> dict[str, Any]:
    methods = {each.name: _method(each) for each in node.body if isinstance(each, ast.FunctionDef)}
    return {"bases": [ast.unparse(base) for base in node.bases], "methods": methods}


def _method(node: ast.FunctionDef) -> dict[str, Any]:
    found = [name for name in _HOW if name in map(ast.unparse, node.decorator_list)]
    return {"parameters": _parameters(node), **({"how": found[0]} if found else {})}


def _parameters(node: ast.FunctionDef) -> list[dict[str, Any]]:
    """In order: name, kind (as inspect has it) and default, `computed` where that is not a plain value."""
    given = node.args
    plain = [*given.posonlyargs, *given.args]
    missing: list[ast.expr | None] = [None] * (len(plain) - len(given.defaults))
    rows = [
        _row(each.arg, "POSITIONAL_ONLY" if each in given.posonlyargs else "POSITIONAL_OR_KEYWORD", default)
        for each, default in zip(plain, [*missing, *given.defaults], strict=True)
    ]
    rows += [_row(given.vararg.arg, "VAR_POSITIONAL", None)] if given.vararg else []
    rows += [
        _row(each.arg, "KEYWORD_ONLY", default)
        for each, default in zip(given.kwonlyargs, given.kw_defaults, strict=True)
    ]
    return rows + ([_row(given.kwarg.arg, "VAR_KEYWORD", None)] if given.kwarg else [])


def _row(name: str, kind: str, default: ast.expr | None) -> dict[str, Any]:
    row: dict[str, Any] = {"name": name, "kind": kind}
    if default is None:
        return row
    try:
        return {**row, "default": ast.literal_eval(default)}
    except ValueError:
        return {**row, "computed": True}


if __name__ == "__main__":
    if len(sys.argv) == 1:
        sys.exit(__doc__)
    main([Path(each) for each in sys.argv[1:]])
