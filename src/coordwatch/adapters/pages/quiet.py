"""The pages that are only read: customers, rules, tools, sources, and the search.

What enters: requests.
What leaves: pages.
The next room: `router`, which gives them their addresses.
"""

import re
from dataclasses import replace
from urllib.parse import quote

from fastapi import Request, Response

from coordwatch.access.principal import hides
from coordwatch.access.roles import Permission
from coordwatch.adapters.pages.context import PagesContext
from coordwatch.adapters.pages.guard import going
from coordwatch.adapters.pages.history import changes_of
from coordwatch.adapters.pages.inventory import Ledger, tools_values
from coordwatch.adapters.pages.shell import Shell
from coordwatch.adapters.pages.sources import sources_values
from coordwatch.adapters.pages.steps import step_words
from coordwatch.adapters.pages.tables import customer_values, example_words, rule_line, rule_lines
from coordwatch.adapters.seen import alerts_seen
from coordwatch.errors import Elsewhere
from coordwatch.ports import CustomerView, SettingView

_CUSTOMERS = 200
LETTERS_SHOWN = 100
_CAMPAIGNS = 200
_FOUND_MOST = 50
_DEFAULT = "default"


class QuietPages:
    """The endpoints that only read. It is done in the thread pool: the readers wait for a database."""

    def __init__(self, context: PagesContext, shell: Shell) -> None:
        self._context, self._shell = context, shell

    def customers(self, request: Request) -> Response:
        rows = self._context.reader.customers(_CUSTOMERS)
        return self._shell.page(request, "customers.html", {"rows": rows, "most": _CUSTOMERS})

    def customer(self, request: Request, key: str) -> Response:
        elsewhere = ""
        try:
            view = self._context.customer(key)
        except Elsewhere as away:
            view, elsewhere = None, str(away)
        # An old key leads to whom it belongs now.
        alerts = self._context.reader.customer_alerts(key if view is None else view.key)
        if view is None and not alerts and not elsewhere:
            missing = f"No rule keeps anything about a customer {key[:80]}. Search for another key with /."
            return self._shell.nothing(request, 404, missing, "/customers")
        values = customer_values(view or CustomerView(key), alerts, self._context.rules, elsewhere)
        return self._shell.page(request, "customer.html", values)

    def rules(self, request: Request) -> Response:
        context = self._context
        versions = context.shelf.rule_versions()
        lines = rule_lines(context.rules, context.sentences, context.reader.rule_counts(), self._shell.now(), versions)
        return self._shell.page(request, "rules.html", {"lines": lines})

    def rule(self, request: Request, rule_id: str) -> Response:
        context = self._context
        spec = context.rules.get(rule_id)
        if spec is None:
            return self._shell.nothing(request, 404, f"There is no rule {rule_id[:80]}.", "/rules")
        counts = {one.rule: one for one in context.reader.rule_counts()}
        versions = context.shelf.rule_versions(rule_id)
        values = {
            "line": rule_line(spec, context.sentence(spec), counts.get(rule_id), self._shell.now(), versions),
            "steps": step_words(spec),
            "examples": [example_words(example) for example in spec.tests],
            "text": context.rule_texts.get(rule_id, ""),
            "changes": changes_of(versions),
        }
        return self._shell.page(request, "rule.html", values)

    def tools(self, request: Request) -> Response:
        reader, context = self._context.reader, self._context
        campaigns = context.shelf.campaigns(_CAMPAIGNS)
        ledger = Ledger(reader.pair_counts(), reader.tool_counts(), campaigns, reader.tallies(), context.rules)
        return self._shell.page(request, "tools.html", tools_values(ledger, context.tools(), context.sources()))

    def sources(self, request: Request) -> Response:
        reader = self._context.reader
        letters = reader.dead_letters(LETTERS_SHOWN)
        if hides(getattr(request.state, "who", None)):
            letters = [replace(one, original=b"hidden: it may hold personal data") for one in letters]
        values = sources_values(self._context.sources(), letters, reader.tallies())
        who = getattr(request.state, "who", None)
        may = self._context.replay is not None and (who is None or who.may(Permission.REPLAY))
        notice = request.query_params.get("said", "")[:300] if may else ""
        return self._shell.page(request, "sources.html", {**values, "may_replay": may, "notice": notice})

    def settings(self, request: Request) -> Response:
        chapters: dict[str, list[SettingView]] = {}
        for one in self._context.settings:
            part = re.split(r"[.\[]", one.name, maxsplit=1)[0]
            chapters.setdefault("general" if part == one.name else part, []).append(one)
        own = sum(one.origin != _DEFAULT for one in self._context.settings)
        return self._shell.page(request, "settings.html", {"chapters": chapters, "own": own, "default": _DEFAULT})

    def search(self, request: Request) -> Response:
        context = self._context
        wanted = request.query_params.get("q", "").strip()[:200]
        if not wanted:
            return going("/")
        if context.reader.alert(wanted) is not None:
            return going(f"/alerts/{quote(wanted, safe='')}")
        if wanted in context.rules:
            return going(f"/rules/{quote(wanted, safe='')}")
        if context.known_here(wanted) is not None or context.reader.customer_alerts(wanted):
            return going(f"/customers/{quote(wanted, safe='')}")
        hidden = hides(getattr(request.state, "who", None))
        rows, more = alerts_seen(context.reader, ({"q": wanted}, _FOUND_MOST, None), hidden=hidden)
        words = wanted.lower()
        rules = [spec for spec in context.rules.values() if words in f"{spec.id} {spec.title} {spec.why}".lower()]
        values = {"search": wanted, "rows": rows, "rules": rules, "more": more is not None, "most": _FOUND_MOST}
        return self._shell.page(request, "search.html", values)
