"""Context: what is remembered of one customer (the journal), the reference facts, and how far has been read.

Projected facts enter; ordered facts and proofs leave. The next room: `rules`, which judge by them.
"""
