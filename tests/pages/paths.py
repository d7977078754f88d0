"""Which pages there are, for the tests that visit all of them."""

from tests.pages.sample_data import CUSTOMERS, MAIN, Sample


def alert_of(filled: Sample, customer: str, rule: str) -> str:
    """The address of a customer's alert of one rule."""
    row = next(row for row in filled.store.customer_alerts(customer) if row.rule == rule)
    return f"/alerts/{row.id}"


def incident_of(filled: Sample) -> str:
    """The address of the incident that hit the most customers."""
    rows, _ = filled.store.incidents().incidents({"sort": "customers"}, 1, None)
    return f"/incidents/{rows[0].id}"


def later_paths(filled: Sample) -> list[str]:
    """Incidents, silences, the trail and the settings."""
    alert = alert_of(filled, MAIN, "promo-during-open-complaint").removeprefix("/alerts/")
    return [
        "/incidents",
        incident_of(filled),
        "/incidents/not-there",
        "/silences",
        f"/silences/new?alert={alert}",
        "/silences/new?matchers=severity%3D%3Dx",
        "/audit",
        "/settings",
    ]


def every_path(filled: Sample) -> list[str]:
    """One address of every kind of page, and of every kind of alert."""
    rows, _ = filled.store.alerts({}, 500, None)
    alerts = {(row.rule, row.status): f"/alerts/{row.id}" for row in rows}
    return [
        "/",
        "/?status=all&sort=severity",
        "/?status=resolved",
        "/?rule=bot-loop&range=7d",
        "/?done=acknowledge&count=2&left=1&undo=a.1,b.2",
        *alerts.values(),
        f"{alert_of(filled, MAIN, 'promo-during-open-complaint')}?done=acknowledge",
        "/alerts/not-there",
        "/customers",
        f"/customers/{MAIN}",
        f"/customers/{CUSTOMERS[3]}",
        "/customers/not-there",
        "/rules",
        *(f"/rules/{rule}" for rule in filled.context.rules),
        "/tools",
        "/sources",
        "/search?q=spring",
        "/search?q=nothing+at+all",
        *(address for address in later_paths(filled)),
    ]


def main_paths(filled: Sample) -> list[str]:
    """One address of every kind of page."""
    return [
        "/",
        alert_of(filled, MAIN, "promo-during-open-complaint"),
        alert_of(filled, CUSTOMERS[3], "cancelled-without-notice"),
        "/alerts/not-there",
        "/customers",
        f"/customers/{MAIN}",
        "/rules",
        "/rules/promo-during-open-complaint",
        "/tools",
        "/sources",
        "/search?q=spring",
        *later_paths(filled),
    ]
