"""How hard, in a word."""

BINS = ("easy", "medium", "hard", "unknown")


def bin_of(difficulty: float | None) -> str:
    """Bin of a difficulty from 0 (easy) to 1 (hard); `None` when it was not measured."""
    if difficulty is None:
        return "unknown"
    return "easy" if difficulty < 1 / 3 else "hard" if difficulty > 2 / 3 else "medium"
