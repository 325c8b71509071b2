"""Expands a subject into topics.

handler.py   one pass over a subject
sameness.py  compares names of topics
settings.py  settings
"""
