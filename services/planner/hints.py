"""Hints of a request to the writer, so that the problems of one topic differ."""

TECHNIQUES = (
    "an exact calculation in several steps",
    "a conserved or invariant quantity",
    "a symmetry or a change of viewpoint",
    "a bound that is attained, and where",
    "counting in two ways",
    "a recursion or an iteration that closes",
    "reduction to a known case by an unexpected route",
    "a limiting or degenerate case",
    "combining two results of different subfields",
    "elimination of all cases but one",
    "reasoning backwards from what is observed",
)
STRUCTURES = (
    "a concrete instance with given data",
    "a family with a parameter, and the value at which it changes",
    "an inverse problem: from the outcome to its cause",
    "an extremal problem: the largest or smallest that can be",
    "a chain in which each result feeds the next",
    "a comparison of two objects that look alike",
    "an identification by a set of clues that fits one object alone",
)
"""The lengths of both lists have no common factor: a topic gets every pair before one is repeated."""
