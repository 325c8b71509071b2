"""Benchmarks: the factory's own cost, measured with models that respond immediately. Not part of the tests."""
