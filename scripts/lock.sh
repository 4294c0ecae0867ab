#!/usr/bin/env bash
# Pins what pyproject.toml allows. Called by `make lock`; what is given is handed on to uv (--upgrade).
#
# requirements.lock         everything that runs without torch, with hashes
# requirements-torch.lock   torch and what it stands on, without hashes: each machine's pip chooses its build (CUDA, CPU)
# requirements-models.lock  what the engines in our process need besides these two, with hashes
set -euo pipefail
cd "$(dirname "$0")/.."

compile() {
    .venv/tools/bin/uv pip compile --universal --python-version 3.11 --no-emit-index-url --no-header --quiet "$@"
}

everyday="$(mktemp)"
trap 'rm -f "$everyday"' EXIT

compile --generate-hashes --extra build --extra dev --output-file requirements.lock "$@" pyproject.toml
compile --extra build --extra dev --no-annotate --constraint requirements.lock --output-file "$everyday" pyproject.toml

torch="$(grep -oE '"torch==[^"]+"' pyproject.toml | tr -d '"')"
compile --no-annotate --constraint "$everyday" --output-file requirements-torch.lock - <<<"$torch"

omitted=()
while read -r name; do
    omitted+=(--no-emit-package "$name")
done < <(grep -oE '^[a-z0-9][a-z0-9._-]*' "$everyday" requirements-torch.lock --no-filename | sort -u)
compile --generate-hashes --extra models --constraint "$everyday" --constraint requirements-torch.lock \
    "${omitted[@]}" --output-file requirements-models.lock pyproject.toml
