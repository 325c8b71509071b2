"""`chimera kafka` and `chimera dead-letters`: for operators."""
