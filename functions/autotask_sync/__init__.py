"""Keeps our tickets and Autotask's alike."""
