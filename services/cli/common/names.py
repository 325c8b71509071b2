"""Names that commands share: of the one-machine stack's factory, and of its simulator."""

FACTORY = "chimera"
SIMULATOR = "simulator"
