"""Asks for as many problems, of the topics that lack them, as the measured yield says."""
