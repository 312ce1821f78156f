"""The read side: one module a screen, returning frozen rows, never table objects."""
