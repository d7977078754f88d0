"""Context: what is remembered of one customer (the journal), the reference facts, and how far has been read."""
