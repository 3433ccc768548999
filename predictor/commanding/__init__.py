"""`tickcast models`: what serves, and what people ask of the trainer."""
