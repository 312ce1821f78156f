"""Datto: alerts of Endpoint Backup and of its direct-to-cloud agents."""
