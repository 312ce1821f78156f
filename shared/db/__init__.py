"""The database: column types, sessions, migrations."""
