"""Writes a problem on a topic.

__main__.py  builds the service
guidance.py  what a checkable answer is, by subject
handler.py   the request to the writer
settings.py  settings
"""
