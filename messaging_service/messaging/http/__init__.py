"""The HTTP door: parse, call one action or query, answer."""
