"""Measures the checks with planted errors and controls.

controls.py       problems without planted errors
handler.py        draws the audits
inject.py         builds the events of an audit item
rival_answers.py  recorded wrong answers, and difficulty
settings.py       settings
planted_errors/   errors by kind
"""
