"""What only the pages ask of a site: its tools as the mappings know them, and its rules as they are written now.

What enters: the content of a site, its store and stream.
What leaves: ToolViews; versions of rules on the shelf; a Follower.
The next rooms: `one_process` and `worker_side`.
"""

import logging

from coordwatch.adapters.http_api.following import Follower
from coordwatch.adapters.http_api.stream import Stream
from coordwatch.adapters.rule_texts import rule_texts
from coordwatch.adapters.sql.store import SqlStore
from coordwatch.app.content import Content
from coordwatch.ports import ToolView
from coordwatch.sources.catalogue import Catalogue

_log = logging.getLogger("coordwatch.rules")


def tools_of(content: Content, catalogue: Catalogue) -> list[ToolView]:
    """Every tool that a mapping can read, with what the catalogue says of it."""
    views = []
    for mapping in content.mappings:
        facts = {**mapping.tool, **catalogue.tools.get(mapping.name, {})}
        name, owner = facts.get("name", mapping.name), facts.get("team", "")
        views.append(ToolView(name, mapping.family, owner, mapping.name, mapping.emits))
    return views


def follower_of(store: SqlStore, content: Content, stream: Stream, now: int) -> Follower:
    """Keep how the rules are written now, and give what tells watchers of whatever happens.

    Units: `now` in microseconds since 1970 UTC
    """
    shelf = store.shelf()
    for rule in shelf.note_rules(rule_texts(content.rules), now):
        _log.info("the rule %s is written otherwise than before; its page shows what changed", rule)
    return Follower(store, shelf, stream)
