"""The command `chimera`."""
