"""The options of a phase. Imports nothing heavy, so that `--help` and errors come before torch is imported."""

import argparse
from collections.abc import Sequence
from pathlib import Path

from trainer.run.devices import DEVICES


def parse(phase: str, arguments: Sequence[str] | None = None) -> argparse.Namespace:
    """Parse the command line. Exits for `--help`, and with status 2 for options that are wrong."""
    parser = argparse.ArgumentParser(prog=f"python -m trainer.{phase}")
    parser.add_argument("--config", type=Path, required=True, help="the recipe, such as trainer/configs/paper.yaml")
    dataset = "a factory's dataset (folder, or URL of an object store), or files: exports, published datasets"
    parser.add_argument("--dataset", required=True, help=dataset)
    parser.add_argument("--version", type=int, help="version of its rows table; default: the current one")
    parser.add_argument("--run", type=Path, required=True, help="folder of this run; name it again to resume")
    parser.add_argument("--models", type=Path, help="models file with a judge for answers that no rule can compare")
    parser.add_argument("--served", type=Path, help="file that maps models to endpoints for evaluation")
    parser.add_argument("--dry-run", action="store_true", help="print what the whole run would cost, and do nothing")
    parser.add_argument(
        "--device", choices=DEVICES, default="h100", help="device that --dry-run assumes: a100, h100, h200 or l40s"
    )
    parser.add_argument("--devices", type=int, default=1, help="number of devices that --dry-run assumes")
    parser.add_argument("--price", type=float, help="US dollars for a device and an hour, for --dry-run")
    parser.add_argument("--json", action="store_true", help="print the forecast of --dry-run as one JSON document")
    return parser.parse_args(arguments)
