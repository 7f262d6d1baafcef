"""What a server can do with an application that does nothing."""
