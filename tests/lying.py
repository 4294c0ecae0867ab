"""A decoding process that was taken over: it prints whatever the recording says, or without end."""

from __future__ import annotations

import sys
from pathlib import Path

if __name__ == "__main__":
    said = Path(sys.argv[1]).read_bytes()
    while said == b"flood":
        sys.stdout.buffer.write(bytes(65_536))
    sys.stdout.buffer.write(said)
