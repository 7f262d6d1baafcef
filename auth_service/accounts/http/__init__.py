"""The HTTP door: parse, call one action, answer."""
