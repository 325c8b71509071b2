"""The whole factory on real Kafka, judged by what lies on the log and in the dataset."""
