"""What the routes share: rooms, the database, performance."""
