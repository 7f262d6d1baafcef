"""The WebSocket door: one socket's life, what clients may send, and the hub that tells them."""
