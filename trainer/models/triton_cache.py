"""What Triton would need a C compiler for, compiled when the image is built.

python -m trainer.models.triton_cache LIBCUDA

TRL's losses are Triton kernels on a GPU, and before its first kernel Triton compiles and loads one file of C. The image
has no compiler, and its /tmp is often mounted noexec. So Dockerfile.trainer names `Cache` in TRITON_CACHE_MANAGER: it
knows that file; kernels are made and kept as ever.
"""

import sys
from pathlib import Path

from triton.backends.nvidia import driver
from triton.runtime.build import _build
from triton.runtime.cache import FileCacheManager

FOLDER = Path(__file__).with_name(".triton")


class Cache(FileCacheManager):
    """Triton's own, but for the files in FOLDER. They are told by name: the key depends on the machine's programs."""

    def get_file(self, filename: str) -> str | None:
        path = FOLDER / filename
        return str(path) if path.exists() else super().get_file(filename)


def compile_(libcuda: str) -> None:
    """Compile it as Triton would. Any library of that name does to link with; the real one is the driver's."""
    FOLDER.mkdir()
    source = Path(driver.__file__).with_name("driver.c")
    needed = ["-Wl,--no-as-needed", libcuda]
    _build("cuda_utils", str(source), str(FOLDER), [], driver.include_dirs, [], needed)


if __name__ == "__main__":
    compile_(sys.argv[1])
