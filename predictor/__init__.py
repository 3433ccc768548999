"""Features in, ensemble predictions out."""
