"""The one-machine stack: real Kafka, real Valkey, every service a process."""
