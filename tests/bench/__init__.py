"""What the factory itself costs, measured with models that answer at once. Never part of the tests."""
