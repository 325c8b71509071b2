"""Compares solutions with the key and checks their traces.

handler.py   the comparison and further attempts
settings.py  settings
trace.py     flaws of a trace
"""
