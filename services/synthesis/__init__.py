"""The long chain of thought."""
