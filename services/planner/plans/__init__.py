"""Plans that come with the factory."""

from pathlib import Path

DEMO = Path(__file__).with_name("demo.yaml")
"""Forty rows in eight subjects."""
