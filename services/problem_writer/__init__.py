"""A topic becomes a problem."""
