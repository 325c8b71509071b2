"""Breaks curated problems on purpose and sends them through the checks again: who notices?"""
