"""Final answers: find them in a text, and compare two of them.

extract.py       the final answer of a text
grade.py         the graders of every service: rules, algebra, judge
guard.py         what is never compared
judge.py         a model that compares what no rule can
normal.py        normal forms that keep the value
number.py        plain numbers, with figures, tolerance and unit
planted.py       pairs of known verdict, to measure a judge
rivals.py        groups the answers that are not the key
shape.py         splits lists into texts, for planted errors
symbolic.py      client of the worker for algebra
undetermined.py  answers that say that there is none
units.py         units of measurement
worker.py        process that compares by algebra
reading/         grammars: a text becomes a tree, or is not read
rules/           compares trees and texts, by kind
"""
