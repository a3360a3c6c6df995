"""Records in SQLite files, their keys, their provenance, and documents."""
