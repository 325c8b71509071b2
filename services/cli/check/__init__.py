"""`chimera check`: plan, models, Kafka and machine, before they are needed."""
