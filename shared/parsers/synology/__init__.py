"""Mails of a Synology NAS: Active Backup, Hyper Backup, updates, account protection and system notices."""
