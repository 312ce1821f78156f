"""Altaro VM Backup, now Hornetsecurity VM Backup: the daily report."""
