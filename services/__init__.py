"""The services: one folder each, one process each."""
