"""Makes long solutions.

__main__.py  builds the service
handler.py   one attempt
settings.py  settings
"""
