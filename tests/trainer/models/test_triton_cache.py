"""The Triton cache works on a machine without a C compiler, such as the image."""

import sysconfig
from pathlib import Path

import pytest
from triton.runtime import build

from trainer.models import triton_cache


def test_triton_asks_our_cache_for_the_file_that_the_image_has(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / f"cuda_utils{sysconfig.get_config_var('EXT_SUFFIX')}"
    file.touch()
    monkeypatch.setattr(triton_cache, "FOLDER", tmp_path)
    monkeypatch.setattr(build, "_load_module_from_path", lambda name, path: path)
    monkeypatch.setenv("TRITON_CACHE_MANAGER", "trainer.models.triton_cache:Cache")
    monkeypatch.setenv("TRITON_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.setenv("PATH", "")
    assert build.compile_module_from_src("", "cuda_utils") == str(file)
    with pytest.raises(RuntimeError, match="C compiler"):
        build.compile_module_from_src("", "another")
