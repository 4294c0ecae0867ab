"""What a process sees of its surroundings: `python -m tests.surroundings [SECONDS]` prints it after a while."""

from __future__ import annotations

import json
import os
import sys
import time
from pathlib import Path

if __name__ == "__main__":
    time.sleep(float(sys.argv[1]) if len(sys.argv) > 1 else 0)
    print("a library's chatter")
    print(json.dumps({"names": sorted(os.environ), "folder": str(Path.cwd())}))
