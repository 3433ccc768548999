"""The trainer as a service: the only writer of `models`."""
