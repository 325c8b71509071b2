"""Solves a problem blind, then judges it.

__main__.py  builds the service
handler.py   votes and judgement
settings.py  settings
"""
