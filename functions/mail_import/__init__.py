"""Brings the mails of the mailbox in."""
