"""Valkey: what can be rebuilt or earned again. Never the truth; that is the log."""
