"""A chat as the usual tutorials build it on Channels, tuned as far as they go."""
