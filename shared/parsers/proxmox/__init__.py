"""Mails of Proxmox VE and Proxmox Backup Server."""
