"""Chooses between two answers to a problem, not knowing which is the key.

__main__.py  builds the service
handler.py   the choice
settings.py  settings
"""
