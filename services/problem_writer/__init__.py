"""Writes a problem on a topic.

__main__.py  builds the service
handler.py   the request to the writer
settings.py  settings
"""
