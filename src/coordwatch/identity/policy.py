"""What a site decides about identity: types and their classes, namespaces, refused values, limits, the key.

What enters: values from the settings. What leaves: one frozen IdentityPolicy that every part of the stage reads.
The next room: `normalise`, which applies it to values.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum

from coordwatch.events.times import DAY
from coordwatch.identity.digest import EMAIL, EMAIL_HASHES, Digester
from coordwatch.identity.identifier import IdClass, Kind, Rank, type_word

SUBJECT = "subject"
REF_FIELDS: Mapping[str, str] = {
    **{
        ref: ref
        for ref in (
            "order", "shipment", "case", "conversation", "message", "booking", "appointment", "subscription",
            "invoice", "contact", "chain", "return", "commitment", "debt", "account", "cart",
        )
    },
    "previous_contact": "contact",
}  # fmt: skip
BLOCKED = frozenset({
    "null", "(null)", "<null>", "nil", "none", "undefined", "nan", "n/a", "na", "unknown", "anonymous",
    "guest", "default", "true", "false", "0", "-1", "id", "email", "distinctid", "distinct_id",
    "not_authenticated", "{}", "[]",
    "[object object]",
})  # fmt: skip
FUNCTIONAL_MAILBOXES = frozenset({
    "noreply", "no-reply", "no_reply", "donotreply", "do-not-reply", "mailer-daemon", "postmaster",
    "hostmaster", "webmaster", "abuse", "root", "bounce", "bounces", "info", "support", "help", "helpdesk",
    "service", "hello", "contact", "sales", "admin", "office", "team", "billing", "accounts", "orders",
    "returns", "marketing", "newsletter", "notifications", "operator",
})  # fmt: skip
_REFS = frozenset({*REF_FIELDS.values(), "session"})
_WEAK_ORDER = ("anonymous_id", "cookie", "device_id")
_UNLISTED = 50
_EMAIL_FORMS = (EMAIL, *EMAIL_HASHES, "email_sha256")
NOBODY = frozenset({"campaign", "journey", "item", "area", "outage", "audience", "location"})


class IdentityMode(StrEnum):
    """Whether one trusted identifier is the customer key, or the key is found through the graph of identifiers."""

    TRUSTED_ID = "trusted_id"
    GRAPH = "graph"


@dataclass(frozen=True, slots=True)
class Scope:
    """In which namespace the identifiers of one type live; for one tool, or for every tool when it is None.

    `namespace` None means the tool's own name; "" is shared by all tools.
    """

    type: str
    namespace: str | None
    tool: str | None = None


UNKEYED = Digester(b"coordwatch replay, no secret", "none")


@dataclass(frozen=True, slots=True)
class IdentityPolicy:
    """Everything a site may decide about identity.

    `classes` gives a type another class (a type nobody lists is tool-local); `own_domains` restricts functional
    mailboxes to those domains (empty: any domain); in `plus_domains` what stands behind a plus is no part of an address,
    in `dot_domains` the dots are none; national telephone numbers are those of `regions` by tool, else of
    `phone_region`, else unusable; `fanout_max` is how many tool-local and weak identifiers a contact
    point may have; `ref_hops` how far a ref with no person beside it looks through other refs (tracker, order).

    Units: `park_for` in microseconds of event time
    """

    mode: IdentityMode = IdentityMode.GRAPH
    trusted_type: str = "customer_id"
    digester: Digester = UNKEYED
    classes: Mapping[str, IdClass] = field(default_factory=dict)
    scopes: tuple[Scope, ...] = ()
    blocked: frozenset[str] = BLOCKED
    functional_mailboxes: frozenset[str] = FUNCTIONAL_MAILBOXES
    own_domains: frozenset[str] = frozenset()
    plus_domains: frozenset[str] = frozenset()
    dot_domains: frozenset[str] = frozenset()
    phone_region: str | None = None
    regions: Mapping[str, str] = field(default_factory=dict)
    length_min: int = 2
    length_max: int = 400
    identifiers_max: int = 32
    fanout_max: int = 20
    ref_hops: int = 2
    park_for: int = DAY

    def __post_init__(self) -> None:
        object.__setattr__(self, "trusted_type", type_word(self.trusted_type))
        object.__setattr__(self, "classes", {type_word(name): one for name, one in self.classes.items()})
        object.__setattr__(self, "scopes", tuple(replace(one, type=type_word(one.type)) for one in self.scopes))

    def kind(self, type_name: str, namespace: str) -> Kind:
        """Give the kind of a type and namespace: the class, and the place in the strict order inside the class."""
        id_class = self.class_of(type_name)
        match id_class:
            case IdClass.PRIMARY:
                rank = Rank(id_class, 0 if type_name == SUBJECT else 1, "", "")
            case IdClass.CONTACT if type_name in _EMAIL_FORMS:
                rank = Rank(id_class, 0, "email", "")
            case IdClass.REF:
                rank = Rank(id_class, 0, "", "")
            case _:
                order = _WEAK_ORDER.index(type_name) if type_name in _WEAK_ORDER else _UNLISTED
                rank = Rank(id_class, order, type_name, namespace)
        return Kind(type_name, namespace, rank)

    def class_of(self, type_name: str) -> IdClass:
        """Give the class of a type."""
        if type_name in self.classes:
            return self.classes[type_name]
        if type_name in (SUBJECT, self.trusted_type, "customer_id"):
            return IdClass.PRIMARY
        if type_name == "phone" or type_name in _EMAIL_FORMS:
            return IdClass.CONTACT
        if type_name in _WEAK_ORDER:
            return IdClass.WEAK
        return IdClass.REF if type_name in _REFS else IdClass.TOOL

    def region(self, tool: str | None) -> str | None:
        """Give the region of the national telephone numbers that a tool writes."""
        return self.regions.get(tool or "", self.phone_region)

    def namespace(self, type_name: str, tool: str | None) -> str:
        """Give the namespace of an identifier that names none: tool-local ids belong to their tool, others are shared."""
        fitting = [scope for scope in self.scopes if scope.type == type_name and scope.tool in (None, tool)]
        if fitting:
            scope = max(fitting, key=lambda scope: scope.tool is not None)
            return (tool or "") if scope.namespace is None else scope.namespace
        return (tool or "") if self.class_of(type_name) is IdClass.TOOL else ""
