"""Two factories on one broker and one Valkey, and what operators and clusters do to them while they work."""
