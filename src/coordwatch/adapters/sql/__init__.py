"""The store on SQLite or PostgreSQL, through SQLAlchemy Core.

What enters: Effects, orders and questions.
What leaves: durable rows, and the views of `ports`.
The next room: `store`, the only module that others import.
"""
