"""Solves a problem blind, then judges it.

evidence.py  the first round, and what the panel requests later
handler.py   votes and judgement
settings.py  settings
"""
