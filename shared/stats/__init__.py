"""Statistics. Pure functions.

error_agreement.py  whether two verifiers make the same errors
guessing.py         probability of a correct guess
wilson.py           confidence intervals of rates
"""
