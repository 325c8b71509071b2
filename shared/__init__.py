"""What services share: the runtime, Kafka, models, answers, the dataset."""
