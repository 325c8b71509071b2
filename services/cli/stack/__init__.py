"""`chimera up`, `down`, `status`, `scale`, `logs`: a stack that keeps running."""
