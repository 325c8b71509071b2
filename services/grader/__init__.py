"""Grades answers over HTTP, for other trainers.

server.py    grades answers over HTTP, so that any trainer gets the rewards that the factory's own would give
settings.py  settings of the grader, from the environment with the prefix `CHIMERA_GRADER_`
"""
