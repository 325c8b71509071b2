"""A run folder: its state, its progress, what it will cost."""
