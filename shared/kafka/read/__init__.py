"""Reading the log without a group."""
