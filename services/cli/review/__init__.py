"""Decisions of people about the keys of doubtful items.

apply.py      sends decisions, and the problems that follow from them, and waits for their ends
ask.py        shows items in a terminal and takes decisions
commands.py   the command-line interface
decisions.py  decisions as files, for a spreadsheet or several people
"""
