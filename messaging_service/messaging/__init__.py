"""Rooms, messages and everything people do in a conversation."""
