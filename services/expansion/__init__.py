"""A subject becomes many fine topics."""
