"""What several gateways share where a Redis is configured. None of it is needed: each goes on alone without it."""
