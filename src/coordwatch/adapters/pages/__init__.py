"""The pages: HTML made on the server, one frame, one style sheet, a few lines of script.

What enters: a PagesContext (in `router`) with readers, rules and the desk.
What leaves: an APIRouter for the inbox and everything it leads to.
The next room: `app`, which mounts it.
"""
