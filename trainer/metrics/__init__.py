"""Grading, rewards, pass@k and plots.

rewards.py          reward of a completion
multiple_choice.py  grades the letter of an option
grading.py          samples a model and grades its completions
passk.py            unbiased pass@k with intervals
plots.py            plots of a run
"""
