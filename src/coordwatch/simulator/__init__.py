"""A shop with customers, tools that do not see each other, and a narrator who knows what really happened.

What enters: a seed. What leaves: the records that the tools would have published, in the order in which they would have
reached a log, and labels that say which acts were conflicts.
The next room: `sources`, as if the records came from a company.
"""
