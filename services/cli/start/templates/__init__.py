"""The files that `chimera init` writes."""
