"""A tool's own words become ours: vendor payload in, canonical Events out, and a reason for all that is neither.

What enters: records, which are bytes with a topic, a key and headers; mapping files and the campaign catalogue.
What leaves: Events with identifiers and refs, dead letters with reason, stage and path, and counted drops.
The next room: `identity` finds out whose event it is.
"""
