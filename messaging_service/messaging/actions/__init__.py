"""Verbs: authorise, change, tell. Nothing else writes to the database or tells the hub."""
