"""From mail to reading: one folder per vendor, found by looking. Start with contract.py."""
