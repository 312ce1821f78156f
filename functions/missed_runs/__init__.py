"""Finds the runs that never came."""
