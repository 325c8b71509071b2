"""Runs checkov on the production values:  python -m tests.ops.chart.policy

checkov has its own environment (requirements/checkov.txt), since it pins older versions.
"""

import subprocess
import sys
import tempfile
from pathlib import Path

import yaml

from tests.ops.chart.render import CHART, render

PROGRAM = Path(sys.prefix) / "checkov/bin/checkov"
EXCUSED = {
    "CKV_K8S_11": "no limit of processor time by default: it slows what has room; the set restricted.yaml has one",
    "CKV_K8S_15": "IfNotPresent: the image is given by its digest",
    "CKV_K8S_21": "the namespace is the release's, and stands in no template",
    "CKV_K8S_35": "the object store's library takes its keys from variables alone",
}


def main() -> int:
    """Return the exit status of checkov."""
    if not PROGRAM.exists():
        print(f"{PROGRAM} was not found. Next step: make .venv/.checkov", file=sys.stderr)  # noqa: T201
        return 1
    with tempfile.TemporaryDirectory() as folder:
        manifest = Path(folder, "chimera.yaml")
        manifest.write_text(yaml.safe_dump_all(render(CHART / "ci/production.yaml")))
        options = ["--file", str(manifest), "--framework", "kubernetes", "--compact", "--quiet", "--skip-download"]
        command = [str(PROGRAM), *options, "--skip-check", ",".join(EXCUSED)]
        return subprocess.run(command, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
