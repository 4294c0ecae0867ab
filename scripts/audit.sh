#!/usr/bin/env bash
# Asks PyPI for known vulnerabilities of everything that is pinned. Called by `make audit`.
#
# pip-audit lives in an environment of its own for as long as this runs: nothing of it is a dependency of ours.
# Exit status: 0 nothing is known, 1 something is, 2 it could not be found out (also for a single package: an index
# that serves packages and no advisories answers "not found", which pip-audit itself would count as good).
set -euo pipefail
cd "$(dirname "$0")/.."

PIP_AUDIT="pip-audit==2.10.1"

place="$(mktemp -d)"
trap 'rm -rf "$place"' EXIT

.venv/bin/python -m venv "$place/environment"
if ! "$place/environment/bin/pip" install --quiet --quiet --disable-pip-version-check "$PIP_AUDIT"; then
    echo "audit: $PIP_AUDIT could not be installed: nothing was audited" >&2
    exit 2
fi

for lock in requirements*.lock models/environments/*.lock; do
    # Its status is not looked at: what it wrote tells more, and where it wrote nothing nothing was audited.
    "$place/environment/bin/pip-audit" --disable-pip --no-deps --requirement "$lock" --progress-spinner off \
        --format json --output "$place/$(basename "$lock").json" 2>"$place/$(basename "$lock").log" || true
done
.venv/bin/python -m scripts.audited "$place" requirements*.lock models/environments/*.lock
