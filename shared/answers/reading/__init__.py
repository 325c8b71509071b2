"""Grammars of our own: a formula becomes a tree, or is not read at all.

formula.py  parser of formulas
tokens.py   tokens of LaTeX, Unicode and plain text
tree.py     the node type of parse trees
"""
