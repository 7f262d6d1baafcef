"""The whole system on one machine without Docker: real Postgres, Redis and Traefik from wheels."""
