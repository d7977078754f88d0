"""The engine: what a new event changes for one customer (`step`), and the same for a whole history (`replay`)."""
