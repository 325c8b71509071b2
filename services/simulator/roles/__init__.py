"""What the models play: one file per task. Each play is a pure function of the request, the bank and the settings."""
