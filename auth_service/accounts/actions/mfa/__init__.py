"""The second factor: switching it on and off, and what is shown of it to log in."""
