"""Compares solutions with the key and checks their traces.

handler.py      the comparison and further attempts
judge_audit.py  measures the judge of answers: a share of the finished items brings it a pair whose verdict is known
settings.py     settings
trace.py        flaws of a trace
"""
