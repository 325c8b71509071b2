"""An OpenAI-compatible server that plays every model from a seeded bank of problems with exact answers."""
