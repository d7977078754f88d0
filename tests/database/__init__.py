"""What a database must stand: revisions, several processes, and being away."""
