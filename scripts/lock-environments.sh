#!/usr/bin/env bash
# Pins the environments of engines that need their own: models/environments/<name>.in, with the name's .overrides where
# there are some, becomes <name>.lock, with hashes. Nothing is installed. What is given is handed on to uv (--upgrade).
set -euo pipefail
cd "$(dirname "$0")/.."

for asked in models/environments/*.in; do
    base="${asked%.in}"
    overrides=()
    [ -f "$base.overrides" ] && overrides=(--overrides "$base.overrides")
    .venv/tools/bin/uv pip compile --no-config --universal --python-version 3.11 --generate-hashes \
        --no-emit-index-url --no-header --quiet --system-certs \
        "${overrides[@]}" "$@" --output-file "$base.lock" "$asked"
done
