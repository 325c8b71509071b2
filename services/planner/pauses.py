"""Why the planner requests no problem although rows are missing, and what helps."""

PARKED, YIELD, BUDGET = "parked", "yield", "budget"

PAUSES = {
    PARKED: "no problem is requested: too many are parked; replay or drop them (chimera dead-letters)",
    YIELD: "no problem is requested: too few become rows; change topics, models or the plan's min_yield",
    BUDGET: "no problem is requested: the budget has no room for another; raise it in the plan",
}
"""By their name in the state and in the metrics."""
