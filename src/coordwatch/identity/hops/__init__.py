"""Identity across partitions: one node for each identifier, in the partition to which its digest hashes.

What enters: messages between nodes; the first one, `place`, carries an event to its anchor. What leaves: the same messages
onward, events filed under a customer, rows to keep. Nothing here knows Kafka: `processor/resolving.py` carries the messages.
"""
