"""Rules that compare two answers whose texts were read whole.

algebra.py    expressions, relations, families and growth, by sympy and mpmath
chemistry.py  formulae, ions and reactions
compare.py    trees by kind: lists, sets, intervals, matrices, relations, logic
decide.py     the order of the rules, by type of answer
numeric.py    the value of a tree at a point
order.py      whether the letters of an expression commute
structure.py  equal trees, and trees with one difference
text.py       words, signs, numerals and dates
"""
