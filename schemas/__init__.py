"""Events and the flow between services, as data."""
