"""The least that stores, acknowledges and tells: how fast this machine lets anybody be."""
