"""Apache Kafka from packages alone."""
