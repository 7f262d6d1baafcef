"""Django's Postgres backend, which notices for nothing that its connection has ended."""
