"""Runs by hand, of which the docs have the figures.

curve.py  what errors of verification cost a model
demo.py   the whole trainer on a tiny task
paper.py  the forecast of the paper's recipe
"""
