"""`chimera kafka` and `chimera dead-letters`: for operators.

commands.py      `chimera kafka create`, `trim`, `show`
dead_letters.py  `chimera dead-letters`
wanted.py        dead letters whose problems the plan still wants, and what they cost
"""
