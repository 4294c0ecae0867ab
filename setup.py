"""Builds the puppet's kernel with the C compiler of the pinned `ziglang` wheel; pyproject.toml says everything else.

The kernel is one C file without any library, built once for every processor and, on x86-64, once more for those of the
last ten years (x86-64-v3). Where it can't be built the puppet draws with OpenCV alone, slower and alike.
"""

from __future__ import annotations

import os
import platform
import subprocess
import sys
from pathlib import Path

from setuptools import Extension, setup
from setuptools.command.build_ext import build_ext
from setuptools.errors import CompileError

PACKAGE = "worker.engines.video.puppet.drawing"
SOURCE = "worker/engines/video/puppet/drawing/kernel.c"
FLAGS = [
    "-O3",
    "-std=c11",
    "-ffreestanding",
    "-ffp-contract=off",
    "-fno-math-errno",
    "-fno-sanitize=all",
    "-Wall",
    "-Wextra",
    "-Werror",
]
LIBRARY = ["-shared", "-fPIC", "-nostdlib"]
SYSTEMS = {"Linux": "linux-gnu", "Darwin": "macos", "Windows": "windows-gnu"}


def kernels() -> list[Extension]:
    """The name's ending says for which processors."""
    ends = ["baseline", "x86_64_v3"] if platform.machine() == "x86_64" else ["baseline"]
    return [
        Extension(f"{PACKAGE}._kernel_{end}", [SOURCE], extra_compile_args=[f"-mcpu={end}"], optional=True)
        for end in ends
    ]


class Zig(build_ext):
    """One call of the compiler an extension; the file is a plain shared library, read by ctypes."""

    def get_ext_filename(self, ext_name: str) -> str:
        return ext_name.replace(".", os.sep) + ".so"

    def build_extension(self, ext: Extension) -> None:
        target = Path(self.get_ext_fullpath(ext.name))
        target.parent.mkdir(parents=True, exist_ok=True)
        build = str(Path(self.build_temp).resolve())
        caches = {"ZIG_GLOBAL_CACHE_DIR": build, "ZIG_LOCAL_CACHE_DIR": build}
        machine = platform.machine().replace("arm64", "aarch64")
        command = [sys.executable, "-m", "ziglang", "cc", *FLAGS, *LIBRARY, *ext.extra_compile_args]
        command += ["-target", f"{machine}-{SYSTEMS[platform.system()]}", "-o", str(target), *ext.sources]
        try:
            subprocess.run(command, check=True, env={**os.environ, **caches})
        except (OSError, subprocess.CalledProcessError) as error:
            for stale in (target, Path(self.get_ext_filename(ext.name))):
                stale.unlink(missing_ok=True)
            raise CompileError(f"{ext.name} could not be built: {error}") from error


setup(ext_modules=kernels(), cmdclass={"build_ext": Zig})
