"""Kafka topics, offsets, grants and retention, all made from the flow."""
