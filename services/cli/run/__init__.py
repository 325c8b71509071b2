"""`chimera run`: grow a dataset until the plan is met."""
