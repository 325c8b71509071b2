"""The difficulty of stored problems, measured again for another model.

commands.py  the command-line interface
reprobe.py   one run, and what it changed
"""
