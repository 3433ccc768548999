"""What the gateway gives, to how many, and how fast."""
