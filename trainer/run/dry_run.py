"""Prints the forecast of a run: `python -m trainer.all --dry-run --device h100 --devices 8 [--price 2.5] [--json]`.

It exits with status 1 when a phase does not fit, and names the key to change. `trainer/run/forecast.py` has the sums.
"""

import json
import sys
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from typing import Any

from trainer.run.costs import USABLE_MEMORY, list_assumptions
from trainer.run.forecast import Cost, Forecast, forecast
from trainer.run.lengths import Lengths
from trainer.run.log import log_line
from trainer.run.run_folder import Run


def show(run: Run, device: str, devices: int, price: float | None, as_json: bool) -> int:
    """Print the forecast and return the exit status. The price is in US dollars for a device and an hour."""
    found = forecast(run, device, devices)
    costs = list(found.costs())
    total = summarise(costs, devices, price)
    if as_json:
        document = {
            "device": device,
            "devices": devices,
            "model": asdict(found.shape),
            "lengths": _describe(found.lengths),
            "longest_that_fits": found.longest,
            "phases": [asdict(cost) for cost in costs],
            "total": total,
            "assumptions": list_assumptions(),
        }
        json.dump(document, sys.stdout, indent=2)
    else:
        log_line("\n".join(render_table(found, costs, f"{devices} × {device}", total)))
    return 0 if all(cost.fits for cost in costs) else 1


def summarise(costs: Sequence[Cost], devices: int, price: float | None) -> dict[str, float | None]:
    """Return hours, disk in bytes and US dollars of the whole run. All devices are rented all the time."""
    hours, at_most = (_add(getattr(cost, name) for cost in costs) for name in ("hours", "hours_at_most"))
    usd, usd_at_most = (None if part is None or price is None else part * devices * price for part in (hours, at_most))
    disk = sum(cost.disk for cost in costs)
    return {"hours": hours, "hours_at_most": at_most, "disk": disk, "usd": usd, "usd_at_most": usd_at_most}


def _add(values: Iterator[float | None]) -> float | None:
    found = list(values)
    return None if None in found else sum(filter(None, found))


def _describe(lengths: Lengths) -> dict[str, Any]:
    """Summarise lengths for the JSON document."""
    means = {"prompt": lengths.prompt, "completion": lengths.completion}
    longest = max(lengths.taught, default=0)
    rows = {"rows": len(lengths.taught), "tokens": sum(lengths.taught), "longest": longest}
    return {**rows, "too_long": lengths.too_long, **means}


def render_table(found: Forecast, costs: Sequence[Cost], where: str, total: dict[str, float | None]) -> Iterator[str]:
    """Yield the lines of the forecast."""
    lengths = _describe(found.lengths)
    yield (
        f"{lengths['rows']:,} training rows, {lengths['tokens']:,} tokens, longest {lengths['longest']:,}; "
        f"{lengths['too_long']} too long"
    )
    parameters = f"{found.shape.parameters:,} parameters on {where}"
    yield f"{parameters}; rows of up to {found.longest:,} tokens can be trained on\n"
    heads = ("phase", "devices", "sequences", "tokens", "at most", "hours", "at most", "GB a device", "GB of disk")
    yield "{:<22}{:>8}{:>11}{:>15}{:>15}{:>9}{:>9}{:>12}{:>11}".format(*heads)
    for one in costs:
        counts = f"{one.devices:>8}{one.sequences:>11,}{one.tokens:>15,}{one.tokens_at_most:>15,}"
        hours = f"{_number(one.hours):>9}{_number(one.hours_at_most):>9}"
        yield f"{one.phase:<22}{counts}{hours}{one.memory / 1e9:>12.2f}{one.disk / 1e9:>11.2f}"
        if not one.fits:
            usable = USABLE_MEMORY * found.device.memory / 1e9
            yield f"{'':<22}  does not fit: {usable:.0f} GB are usable; {one.advice}"
    hours = f"{_number(total['hours'])} hours, at most {_number(total['hours_at_most'])}"
    yield f"\nAltogether {hours}; {_number(total['disk'], 1e9)} GB of disk"
    if total["usd"] is not None:
        yield f"US$ {_number(total['usd'])}, at most {_number(total['usd_at_most'])}, without a judge's calls"
    yield "Hours are estimates: trainer/run/costs.py documents the assumptions."


def _number(value: float | None, unit: float = 1) -> str:
    return "?" if value is None else f"{value / unit:,.2f}"
