"""Writes a problem on a topic.

guidance.py  what a checkable answer is, by subject
handler.py   the request to the writer
settings.py  settings
"""
