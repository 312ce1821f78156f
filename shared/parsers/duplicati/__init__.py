"""Mails of Duplicati."""
