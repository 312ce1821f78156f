"""Mails of Kopia."""
