"""Bacula and Bareos: job reports and the daemons' own messages."""
