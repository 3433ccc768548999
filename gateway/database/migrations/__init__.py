"""Revisions of the tables; see `gateway.database`."""
