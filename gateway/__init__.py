"""The latest predictions over REST and WebSocket."""
