"""What is kept: records in SQLite files, their keys, their provenance, and documents."""
