"""The script that installs a factory with everything around it, with a recording kubectl and helm."""

import json
import os
import re
import stat
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from schemas.codegen.export import ROOT

SCRIPT = ROOT / "deploy/kubernetes/quickstart"
STUB = f"""#!{sys.executable}
import json, os, re, sys
folder, line = os.environ["RECORD"], " ".join(sys.argv)
tool, arguments = os.path.basename(sys.argv[0]), sys.argv[1:]
with open(folder + "/calls", "a") as calls: calls.write(tool + " " + " ".join(arguments) + "\\n")
state = json.load(open(folder + "/state"))
if "crd" in arguments: sys.exit(not any(one in line for one in state["crds"]))
if "deployments" in arguments: print(*state["images"])
if state["fails"] and state["fails"] in line: sys.exit("refused: " + line)
if found := re.search(r"jsonpath=\\{{\\.data\\.(\\w+)\\}}", line): print(state["data"].get(found[1]) or "")
if "--patch" in arguments:
    state["data"] |= json.loads(arguments[arguments.index("--patch") + 1])["data"]
    json.dump(state, open(folder + "/state", "w"))
if "exec" in arguments: print('"number": 1,')
"""


def prepare(folder: Path, *, crds: Sequence[str] = (), images: Sequence[str] = (), fails: str = "") -> None:
    for tool in ("kubectl", "helm"):
        (folder / tool).write_text(STUB)
        (folder / tool).chmod(stat.S_IRWXU)
    data = json.loads((folder / "state").read_text())["data"] if (folder / "state").exists() else {}
    (folder / "state").write_text(json.dumps({"crds": [*crds], "images": [*images], "data": data, "fails": fails}))
    (folder / "calls").write_text("")


def quickstart(folder: Path, *arguments: str, status: int = 0, image: str = "lab/chimera:1") -> str:
    env = {"PATH": f"{folder}:{os.environ['PATH']}", "RECORD": str(folder), "IMAGE": image}  # noqa: TID251
    done = subprocess.run([SCRIPT, *arguments], env=env, capture_output=True, text=True, check=False)
    assert done.returncode == status, done.stdout + done.stderr
    return done.stdout + done.stderr


def helm_calls(folder: Path) -> list[str]:
    lines = (folder / "calls").read_text().splitlines()
    return [line for line in lines if line.startswith("helm")]


def test_down_removes_what_up_installed_and_leaves_what_was_there(tmp_path: Path) -> None:
    prepare(tmp_path, crds=["scaledobjects.keda.sh"], images=["ghcr.io/kedacore/keda:2.18.0"])
    output = quickstart(tmp_path, "up")
    assert "keda is there already" in output
    installed = [call.split()[3] for call in helm_calls(tmp_path)]
    assert installed == ["strimzi", "prometheus", "chimera"]
    prepare(tmp_path)
    quickstart(tmp_path, "down")
    assert [call.rpartition("uninstall ")[2].split()[0] for call in helm_calls(tmp_path)] == installed[::-1]
    calls = (tmp_path / "calls").read_text()
    assert calls.index("uninstall chimera") < calls.index("small-kafka.yaml") < calls.index("uninstall strimzi")


def test_an_operator_of_which_only_definitions_stayed_is_installed(tmp_path: Path) -> None:
    prepare(tmp_path, crds=["kafkas.kafka.strimzi.io", "scaledobjects.keda.sh", "podmonitors.monitoring.coreos.com"])
    quickstart(tmp_path, "up")
    assert [call.split()[3] for call in helm_calls(tmp_path)] == ["strimzi", "keda", "prometheus", "chimera"]


@pytest.mark.parametrize("image", ["lab:5000/chimera:1", f"lab:5000/chimera@sha256:{'1' * 64}"])
def test_the_quickstart_takes_an_image_by_tag_or_by_digest(tmp_path: Path, image: str) -> None:
    prepare(tmp_path)
    quickstart(tmp_path, "up", image=image)
    given = dict(re.findall(r"image\.(\w+)=(\S+)", helm_calls(tmp_path)[-1]))
    assert given == {"repository": "lab:5000/chimera", **({"digest": image[-71:]} if "@" in image else {"tag": "1"})}


def test_a_step_that_fails_ends_the_script_and_can_be_undone(tmp_path: Path) -> None:
    prepare(tmp_path, fails="wait kafka/kafka")
    assert "refused" in quickstart(tmp_path, "up", status=1)
    assert "chimera" not in " ".join(helm_calls(tmp_path))
    prepare(tmp_path)
    quickstart(tmp_path, "undo", "kafka")
    assert "nothing needs to be undone" in quickstart(tmp_path, "undo", "kafka", status=1)


@pytest.mark.parametrize("arguments", [[], ["up", "now"], ["undo"], ["undo", "everything"]])
def test_a_wrong_call_of_the_quickstart_shows_how_to_use_it(tmp_path: Path, arguments: list[str]) -> None:
    prepare(tmp_path)
    assert "quickstart up" in quickstart(tmp_path, *arguments, status=2)
