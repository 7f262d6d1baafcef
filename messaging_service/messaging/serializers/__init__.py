"""What comes in is validated here; what goes out gets its one JSON shape here."""
