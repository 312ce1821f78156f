"""Macrium Reflect, its Site Manager and its Image Guardian."""
