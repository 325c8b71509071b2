"""Solves a problem blind, then judges it.

__main__.py  builds the service
evidence.py  the first round, and what the panel requests later
handler.py   votes and judgement
settings.py  settings
"""
