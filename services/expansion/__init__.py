"""Expands a subject into topics.

__main__.py  builds the service
handler.py   one pass over a subject
sameness.py  compares names of topics
settings.py  settings
"""
