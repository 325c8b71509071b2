"""Expands a subject into topics.

handler.py      one pass over a subject
topic_names.py  compares names of topics
settings.py     settings
"""
