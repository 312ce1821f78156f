"""burp, the network backup for Unix and Windows: its notification mails."""
