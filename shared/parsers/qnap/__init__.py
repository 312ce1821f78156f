"""Mails of a QNAP NAS's Notification Center."""
