"""`tickcast sources`: live sources, what plays, and what people ask of it."""
