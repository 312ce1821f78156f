"""What we mean: frozen values and pure decisions. No I/O, no clock, no database."""
