"""Mathematics: discrete and rational problems, which code can verify."""

from services.simulator.bank.algebra import (
    invariant_factors,
    monodromy_torsion,
    power_trace,
    roots_of_unity_mod_n,
    square_roots_mod_n,
    transversal_subspaces,
)
from services.simulator.bank.analysis import quartic_integral, residue, ruin_time
from services.simulator.bank.combinatorics import elements_of_order, necklaces, spanning_trees, two_squares

FAMILIES = (
    invariant_factors,
    monodromy_torsion,
    power_trace,
    roots_of_unity_mod_n,
    square_roots_mod_n,
    transversal_subspaces,
    quartic_integral,
    residue,
    ruin_time,
    elements_of_order,
    necklaces,
    spanning_trees,
    two_squares,
)
