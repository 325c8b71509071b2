"""Schemas of the files that a person writes.

models_config.py  the models file: endpoints, and the model of each role
plan.py           the plan: subjects, rows, and the policies of each step
policies.py       the sections of a plan
"""
