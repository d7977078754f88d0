"""The tools of the shop, each in its own words.

What enters: what a story does. What leaves: Drafts: the payload as the vendor writes it, and the canonical Events that
the shipped source mappings must make of it. The next room: `post`.
"""
