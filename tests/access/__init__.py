"""Who may come in, and what they see: the door, from its table to a real browser."""
