"""Rejects problems by rules before a model is paid.

benchmark_judge.py  a judge for doubtful overlap with a benchmark
fingerprint.py      fingerprint of a problem
form.py             rules of form
handler.py          the checks in order
index_keeper.py     initialises the index of near duplicates
questions.py        what a statement asks for
semantic_check.py   paraphrased duplicates
settings.py         settings
"""
