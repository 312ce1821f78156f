"""Veeam: Backup & Replication, the agents, Microsoft 365, Cloud Connect and Enterprise Manager."""
