"""Compiles, when the image is built, the file for which Triton needs a C compiler.

python -m trainer.models.triton_cache LIBCUDA

TRL's losses are Triton kernels on a GPU, and before its first kernel Triton compiles and loads one C file. The image
has no compiler, and its /tmp is often mounted noexec. Dockerfile.trainer names `Cache` in TRITON_CACHE_MANAGER: it
returns the compiled file; kernels are compiled and cached as usual.
"""

import sys
from pathlib import Path

from triton.backends.nvidia import driver
from triton.runtime.build import _build
from triton.runtime.cache import FileCacheManager

FOLDER = Path(__file__).with_name(".triton")


class Cache(FileCacheManager):
    """Triton's cache, except for the files in FOLDER. They are found by name: the key depends on the machine."""

    def get_file(self, filename: str) -> str | None:
        path = FOLDER / filename
        return str(path) if path.exists() else super().get_file(filename)


def compile_(libcuda: str) -> None:
    """Compile the file as Triton does. Any library of that name suffices for linking; the driver has the real one."""
    FOLDER.mkdir()
    source = Path(driver.__file__).with_name("driver.c")
    needed = ["-Wl,--no-as-needed", libcuda]
    _build("cuda_utils", str(source), str(FOLDER), [], driver.include_dirs, [], needed)


if __name__ == "__main__":
    compile_(sys.argv[1])
