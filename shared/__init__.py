"""What every function of the app shares: meaning, parsers, tables, use cases, read side."""
