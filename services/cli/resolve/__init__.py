"""Stored problems through another solver.

commands.py  the command-line interface
report.py    what a run changed
resolve.py   one run
"""
