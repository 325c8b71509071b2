"""Final answers: where they stand in a text, and whether two of them agree."""
