"""SQLite and MySQL, turned into the PostgreSQL that they mean."""
