"""A long run with the simulator that checks that memory and disk stay flat: `make soak`. Not part of the tests.

plan.yaml  the plan: without an end, with releases and training often
"""
