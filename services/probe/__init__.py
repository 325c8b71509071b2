"""Measures difficulty with the model that will be trained.

__main__.py  builds the service
handler.py   the attempts
settings.py  settings
"""
