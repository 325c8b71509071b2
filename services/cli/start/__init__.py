"""`chimera init`, `preview`: from nothing to a plan that is worth a run.

commands.py  the command-line interface
init.py      writes a commented plan and models file
preview.py   makes a few problems through every check, and shows them
templates/   the files that `init` writes
"""
