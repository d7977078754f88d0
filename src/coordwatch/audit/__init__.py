"""Audit: who did what to what, in a chain in which a changed, missing or moved entry shows.

What enters: deeds of people and of the engine.
What leaves: links, each of which hashes its deed and the link before it; and the first one that is broken, if any.
The next room: `engine`; a store keeps the chain in the transaction of what it speaks of.
"""
