"""Reads: what rooms, messages and people look like to somebody who may see them."""
