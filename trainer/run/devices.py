"""The devices that a forecast knows. Imports nothing heavy: the options of every phase name them."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Device:
    """Limits of a device.

    Peak in bfloat16 without sparsity (FLOP/s) and bandwidth (bytes/s) by the data sheet; memory (bytes) as the driver
    reports it, which counts "80 GB" in GiB.
    """

    flops: float
    bandwidth: float
    memory: float


DEVICES = {
    "a100": Device(312e12, 2.039e12, 81_920 * 2**20),
    "h100": Device(989e12, 3.35e12, 81_559 * 2**20),
    "h200": Device(989e12, 4.8e12, 143_771 * 2**20),
    "l40s": Device(362e12, 0.864e12, 46_068 * 2**20),
}
