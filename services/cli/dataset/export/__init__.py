"""`chimera dataset export`: one view of one version, with a card."""
