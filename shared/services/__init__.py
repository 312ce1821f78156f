"""Use cases, one verb a file. They receive the session and the time, and never commit."""
