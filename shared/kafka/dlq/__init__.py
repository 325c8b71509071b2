"""Dead letters: written, listed, replayed, dropped."""
