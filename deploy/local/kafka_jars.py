"""The jars of Apache Kafka, downloaded once from a Maven repository and checked against `jars.json`.

    python -m deploy.local.kafka_jars            download missing jars, check all, print the folder
    python -m deploy.local.kafka_jars --update   resolve ROOTS again and rewrite jars.json (for a new Kafka)

`jars.json` maps each Maven coordinate to its SHA-256 and size. The start of a stack resolves nothing: it downloads
exactly the listed jars. To use your own repository, add it under `[repositories]` in jgo's configuration file.
"""

import argparse
import hashlib
import json
import os
import shutil
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from filelock import FileLock

from shared.errors import Refusal

if TYPE_CHECKING:  # jgo and requests take longer to import than all else here, and only a download needs them
    from jgo.maven import MavenContext

VERSION = "4.4.0"
ROOTS = (
    f"org.apache.kafka:kafka_2.13:{VERSION}",
    f"org.apache.kafka:kafka-clients:{VERSION}",  # else jgo takes 3.9.1 through another dependency
    "org.slf4j:slf4j-api:2.0.17",  # else 1.7 wins, which does not find log4j
    "org.apache.logging.log4j:log4j-slf4j2-impl:2.25.1",
)
LIST = Path(__file__).with_name("jars.json")

ProgressCallback = Callable[[str, int], AbstractContextManager[Callable[[int], None]]]
Progress = Callable[[int, int], None]
"""Called with (bytes downloaded, bytes in all), from several threads but never concurrently."""


@dataclass(frozen=True, slots=True)
class Jar:
    """One line of `jars.json`."""

    coordinate: str
    sha256: str
    size: int

    @property
    def filename(self) -> str:
        _, artifact, version = self.coordinate.split(":")
        return f"{artifact}-{version}.jar"


def read_list(path: Path = LIST) -> list[Jar]:
    return [Jar(coordinate, **fields) for coordinate, fields in json.loads(path.read_text()).items()]


def default_cache() -> Path:
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"  # noqa: TID251 - the user's setting
    return Path(base) / "chimera" / f"kafka-{VERSION}"


def fetch(folder: Path | None = None, jars: list[Jar] | None = None, progress: Progress | None = None) -> list[Path]:
    """Return the classpath: every listed jar in `folder`, downloaded and checked.

    Several processes may call it concurrently. The next call completes an interrupted download.
    Raises Refusal when a jar cannot be downloaded or has another SHA-256.
    """
    folder = folder or default_cache()
    jars = jars or read_list()
    folder.mkdir(parents=True, exist_ok=True)
    with FileLock(folder.with_name(f"{folder.name}.lock")):
        missing = [jar for jar in jars if not (folder / jar.filename).exists()]
        if missing:
            _download(missing, folder, progress or (lambda _done, _total: None))
        for jar in jars:
            _check(jar, folder / jar.filename, f"Delete {folder / jar.filename} and start again")
    return [folder / jar.filename for jar in jars]


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _check(jar: Jar, path: Path, next_step: str) -> None:
    if _sha256(path) != jar.sha256:
        raise Refusal(f"{jar.filename} does not have the SHA-256 in jars.json, so it is not used", next_step)


def _maven(repo_cache: Path, progress_callback: ProgressCallback | None = None) -> "MavenContext":
    """Return a context for Maven Central, or for the repositories in the user's jgo configuration."""
    from jgo.config import GlobalSettings
    from jgo.maven import MavenContext, PythonResolver

    return MavenContext(
        resolver=PythonResolver(progress_callback=progress_callback),
        repo_cache=repo_cache,
        remote_repos=GlobalSettings.load().repositories or None,
        timeout=30,
    )


def _download(jars: list[Jar], folder: Path, progress: Progress) -> None:
    """Download each jar to a temporary folder, check it, then move it to `folder`."""
    import requests

    counter = _Counter(sum(jar.size for jar in jars), progress)
    partial = folder.with_name(f"{folder.name}.partial")
    shutil.rmtree(partial, ignore_errors=True)
    context = _maven(partial, counter.file)

    def download_one(jar: Jar) -> None:
        group, artifact, version = jar.coordinate.split(":")
        path = context.project(group, artifact).at_version(version).artifact().resolve()
        _check(jar, path, "Start again; if it happens again, your Maven repository serves another file")
        path.replace(folder / jar.filename)

    try:
        with ThreadPoolExecutor(max_workers=6, thread_name_prefix="kafka-jars") as pool:
            list(pool.map(download_one, jars))
    except requests.RequestException as error:
        raise Refusal(
            f"Kafka's jars could not be downloaded ({type(error).__name__})",
            f"Check the network and start again (downloaded jars are kept), or copy {folder} from another machine",
        ) from error
    except OSError as error:
        raise Refusal(f"Kafka's jars cannot be written to {folder}: {error.strerror}", "Free disk space") from error
    except RuntimeError as error:  # jgo: no repository has it
        raise Refusal(
            "your Maven repository lacks one of Kafka's jars", f"Add a repository that has it; jgo reports: {error}"
        ) from error
    finally:
        shutil.rmtree(partial, ignore_errors=True)


class _Counter:
    """Sums the progress of several downloads, as jgo reports it: a context manager per file yields `update(bytes)`."""

    def __init__(self, total: int, progress: Progress) -> None:
        self._done = 0
        self._total = total
        self._progress = progress
        self._lock = threading.Lock()

    @contextmanager
    def file(self, _name: str, _size: int) -> Iterator[Callable[[int], None]]:
        yield self._add

    def _add(self, count: int) -> None:
        with self._lock:
            self._done += count
            self._progress(self._done, self._total)


def update(path: Path = LIST) -> list[Jar]:
    """Resolve ROOTS with their dependencies, download every jar, and write the list."""
    import jgo

    jars = []
    with tempfile.TemporaryDirectory() as folder:
        context = _maven(Path(folder))
        for artifact in jgo.resolve("+".join(ROOTS)):
            jar = (
                context.project(artifact.groupId, artifact.artifactId).at_version(artifact.version).artifact().resolve()
            )
            jars.append(
                Jar(f"{artifact.groupId}:{artifact.artifactId}:{artifact.version}", _sha256(jar), jar.stat().st_size)
            )
    jars.sort(key=lambda jar: jar.coordinate)
    path.write_text(
        json.dumps({jar.coordinate: {"sha256": jar.sha256, "size": jar.size} for jar in jars}, indent=1) + "\n"
    )
    return jars


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m deploy.local.kafka_jars", description="Apache Kafka's jars.")
    parser.add_argument("--update", action="store_true", help="resolve again and rewrite jars.json")
    if parser.parse_args().update:
        update()
    try:
        paths = fetch()
    except Refusal as error:
        sys.exit(str(error))
    sys.stdout.write(f"{len(paths)} jars in {paths[0].parent}\n")


if __name__ == "__main__":
    main()
