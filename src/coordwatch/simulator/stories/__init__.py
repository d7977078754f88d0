"""The stories: what customers, the shop and the marketing team do, each without knowing the others.

What enters: a Stage. What leaves: drafts in the post and facts for the narrator.
The next room: `run`, which begins them.
"""
