"""The processes that take part beside Tickcast itself. Those of peers run in the peers' own environment."""
