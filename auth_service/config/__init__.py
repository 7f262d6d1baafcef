"""How auth_service is put together."""
