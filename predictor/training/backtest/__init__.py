"""Walk forward through the past with the code of the live system, and tell what came out."""
