"""Every verb of auth_service; the only writers."""
