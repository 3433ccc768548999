"""HTTP and WebSocket routes, one group a module."""
