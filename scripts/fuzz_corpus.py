"""Writes tests/data/fuzz, the corpus of hostile recordings and pictures: `python -m scripts.fuzz_corpus`.

What is built byte by byte is the same each time; what encoders make (most of the seeds) follows their versions.
"""

from __future__ import annotations

import shutil

from tests.fuzz.__main__ import CORPUS, TABLES

MOST = 200_000
"""Bytes of it all."""
LARGEST = 2_400
"""Bytes of a file; larger ones, unless they are seeds, are built when they are wanted."""


def main() -> None:
    shutil.rmtree(CORPUS, ignore_errors=True)
    written = 0
    for kind, cases in TABLES.items():
        (CORPUS / kind).mkdir(parents=True)
        for name, case in cases.items():
            data = case.make()
            if len(data) <= LARGEST or name.startswith("seed"):
                written += (CORPUS / kind / name).write_bytes(data)
    print(f"{written:,} bytes in {CORPUS}")
    if written > MOST:
        raise SystemExit(f"more than {MOST:,}")


if __name__ == "__main__":
    main()
