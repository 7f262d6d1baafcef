"""The keys that sign tokens: where they are kept, and which of them is in use."""
