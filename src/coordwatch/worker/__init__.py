"""The distributed runtime: stages driven beside a Kafka, by Faust or by a plain loop, every commit one transaction.

What enters: stages that `app` has put together, and how to reach the brokers.
What leaves: records that one transaction made durable, and an exit code that says whether to start again.
The next room: `app`, which starts it.
"""
