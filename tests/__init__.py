"""Tests: outcomes on real Kafka, Valkey and Delta."""
