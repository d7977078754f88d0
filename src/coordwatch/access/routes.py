"""What each address needs: the one table of routes. An application with a route that is not here does not start.

Enters: nothing. Leaves: a Need for each method and path. The next room: `adapters.http_api.guard`, which asks it before
anything else is done with a request. Whoever adds a route adds its line here; HEAD needs what GET needs.
"""

from collections.abc import Mapping

from coordwatch.access.roles import Need, Open, Permission
from coordwatch.errors import PermanentError

P = Permission
ROUTES: Mapping[str, Need] = {
    # whether the process lives, and what it counts
    "GET /livez": Open.ANYBODY,
    "GET /readyz": Open.ANYBODY,
    "GET /metrics": P.METRICS,
    # the API
    "GET /v1/openapi.json": P.READ,
    "GET /v1/alerts": P.READ,
    "GET /v1/alerts/{alert_id}": P.READ,
    "POST /v1/alerts/{alert_id}/{action}": P.ACT,
    "GET /v1/silences": P.READ,
    "POST /v1/silences": P.ACT,
    "GET /v1/silences/{silence_id}": P.READ,
    "PUT /v1/silences/{silence_id}": P.ACT,
    "POST /v1/silences/{silence_id}/expire": P.ACT,
    "GET /v1/incidents": P.READ,
    "GET /v1/incidents/{incident_id}": P.READ,
    "POST /v1/incidents/{incident_id}/split": P.ACT,
    "POST /v1/incidents/{incident_id}/merge": P.ACT,
    "POST /v1/incidents/{incident_id}/{action}": P.ACT,
    "GET /v1/incidents/{incident_id}/repairs": P.READ,
    "PUT /v1/incidents/{incident_id}/repairs": P.ACT,
    "GET /v1/incidents/{incident_id}/export/{form}": P.READ,
    "POST /v1/events": P.INGEST,
    "POST /v1/check": P.CHECK,
    "GET /v1/rules": P.READ,
    "GET /v1/tools": P.READ,
    "GET /v1/sources": P.READ,
    "GET /v1/catalogue": P.READ,
    "GET /v1/dead-letters": P.READ,
    "POST /v1/dead-letters/replay": P.REPLAY,
    "GET /v1/views": P.READ,
    "POST /v1/views": P.ACT,
    "GET /v1/views/{name:path}": P.READ,
    "PUT /v1/views/{name:path}": P.ACT,
    "DELETE /v1/views/{name:path}": P.ACT,
    "GET /v1/customers": P.READ,
    "GET /v1/customers/{key:path}": P.READ,
    "GET /v1/explain": P.READ,
    "GET /v1/stream": P.READ,
    "GET /v1/audit": P.AUDIT,
    "GET /v1/audit/head": P.AUDIT,
    # where others post, and prove by a signature who they are
    "POST /v1/sources/{name}": Open.SIGNED,
    "GET /v1/sources/{name}": Open.SIGNED,
    "OPTIONS /v1/sources/{name}": Open.SIGNED,
    "POST /v1/channels/{name}/slack": Open.SIGNED,
    # the pages
    "GET /": P.READ,
    "GET /alerts/{alert_id}": P.READ,
    "POST /alerts": P.ACT,
    "POST /alerts/{alert_id}": P.ACT,
    "GET /customers": P.READ,
    "GET /customers/{key:path}": P.READ,
    "GET /rules": P.READ,
    "GET /rules/{rule_id}": P.READ,
    "GET /tools": P.READ,
    "GET /sources": P.READ,
    "GET /search": P.READ,
    "GET /incidents": P.READ,
    "GET /incidents/{incident_id}": P.READ,
    "POST /incidents/{incident_id}": P.ACT,
    "POST /incidents/{incident_id}/repairs": P.ACT,
    "GET /silences": P.READ,
    "GET /silences/new": P.READ,
    "POST /silences": P.ACT,
    "POST /silences/{silence_id}": P.ACT,
    "GET /audit": P.AUDIT,
    "GET /settings": P.ADMIN,
    "POST /dead-letters": P.REPLAY,
    "POST /views": P.ACT,
    "POST /look": Open.SIGNED_IN,
    "POST /sign-out": Open.SIGNED_IN,
    "POST /unmask": P.UNMASK,
    "GET /sign-in": Open.ANYBODY,
    "POST /sign-in": Open.ANYBODY,
    "GET /sign-in/provider": Open.ANYBODY,
    "GET /sign-in/callback": Open.ANYBODY,
    "GET /static/{name}": Open.ANYBODY,
    "GET /favicon.ico": Open.ANYBODY,
}


def need_of(method: str, path: str) -> Need:
    """What a route needs.

    Raises: PermanentError for a route that the table does not know: it would else be open to everybody
    """
    need = ROUTES.get(f"{'GET' if method == 'HEAD' else method} {path}")
    if need is None:
        raise PermanentError(f"the route {method} {path} has no line in access/routes.py: say there who may use it")
    return need
