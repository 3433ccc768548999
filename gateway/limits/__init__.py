"""How much everybody may ask."""
