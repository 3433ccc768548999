"""The feature stage beside its peers: the same work, on the same Kafka, in one go."""
