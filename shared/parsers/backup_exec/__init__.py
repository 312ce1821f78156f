"""Veritas (formerly Symantec) Backup Exec: alert mails."""
