"""Measures the checks: sends known-good problems through them again, broken on purpose."""
