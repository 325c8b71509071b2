"""What can be decided about a problem before a model is paid."""
