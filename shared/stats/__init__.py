"""Statistics of counts, guesses and shared errors. Pure."""
