"""Snowplow's enriched events: one line of 131 columns in, an object with named fields out.

What enters: the text of a record. What leaves: what is not empty, under the names of Snowplow's own columns; the
self-describing event and the entities stand under `unstruct_event_<vendor>_<name>_<model>` and
`contexts_<vendor>_<name>_<model>`, as the tables of its loaders are called. The next room: `unwrap`.
"""

import re
from typing import Any

from coordwatch.codec import NotJson, decode_json
from coordwatch.sources.record import MapRejectReason, RefusedError, Stage

_IN_ORDER = """
app_id platform etl_tstamp collector_tstamp dvce_created_tstamp event event_id txn_id name_tracker v_tracker
v_collector v_etl user_id user_ipaddress user_fingerprint domain_userid domain_sessionidx network_userid geo_country
geo_region geo_city geo_zipcode geo_latitude geo_longitude geo_region_name ip_isp ip_organization ip_domain
ip_netspeed page_url page_title page_referrer page_urlscheme page_urlhost page_urlport page_urlpath page_urlquery
page_urlfragment refr_urlscheme refr_urlhost refr_urlport refr_urlpath refr_urlquery refr_urlfragment refr_medium
refr_source refr_term mkt_medium mkt_source mkt_term mkt_content mkt_campaign contexts se_category se_action se_label
se_property se_value unstruct_event tr_orderid tr_affiliation tr_total tr_tax tr_shipping tr_city tr_state tr_country
ti_orderid ti_sku ti_name ti_category ti_price ti_quantity pp_xoffset_min pp_xoffset_max pp_yoffset_min pp_yoffset_max
useragent br_name br_family br_version br_type br_renderengine br_lang br_features_pdf br_features_flash
br_features_java br_features_director br_features_quicktime br_features_realplayer br_features_windowsmedia
br_features_gears br_features_silverlight br_cookies br_colordepth br_viewwidth br_viewheight os_name os_family
os_manufacturer os_timezone dvce_type dvce_ismobile dvce_screenwidth dvce_screenheight doc_charset doc_width
doc_height tr_currency tr_total_base tr_tax_base tr_shipping_base ti_currency ti_price_base base_currency geo_timezone
mkt_clickid mkt_network etl_tags dvce_sent_tstamp refr_domain_userid refr_dvce_tstamp derived_contexts
domain_sessionid derived_tstamp event_vendor event_name event_format event_version event_fingerprint true_tstamp
"""
COLUMNS = tuple(_IN_ORDER.split())
_SCHEMA = re.compile(r"iglu:([A-Za-z0-9_.-]{1,200})/([A-Za-z0-9_-]{1,200})/[a-z]{1,40}/([0-9]{1,6})-[0-9-]{1,12}")
_HUMP = re.compile(r"(?<=[^A-Z_])(?=[A-Z])")
ENTITIES_MAX = 1000


def read_columns(line: str) -> dict[str, Any] | None:
    """Give the fields of an enriched event; None when the text has too few columns to be one.

    Raises: RefusedError, with the column, for a self-describing event or entity that is none
    """
    values = line.rstrip("\r\n").split("\t")
    if len(values) < len(COLUMNS):
        return None
    found: dict[str, Any] = {}
    for name, value in zip(COLUMNS, values, strict=False):
        if value == "":
            continue
        if name == "unstruct_event":
            found |= _named(name, name, _data(name, value))
        elif name in ("contexts", "derived_contexts"):
            _add_entities(found, name, value)
        elif name.endswith("_tstamp"):
            # Snowplow writes UTC without saying so.
            found[name] = value.replace(" ", "T", 1) + "Z"
        else:
            found[name] = value
    return found


def _data(column: str, text: str) -> Any:
    """The data of a self-describing JSON, without its schema."""
    try:
        body = decode_json(text)
    except NotJson as error:
        raise _broken(column, f"holds a text that is not JSON: {error}") from None
    return body.get("data") if isinstance(body, dict) else None


def _add_entities(found: dict[str, Any], column: str, text: str) -> None:
    entities = _data(column, text)
    if not isinstance(entities, list):
        raise _broken(column, "wants a list of entities under 'data'")
    if len(entities) > ENTITIES_MAX:
        raise RefusedError(MapRejectReason.TOO_MANY, Stage.UNWRAP, column, f"more than {ENTITIES_MAX} entities")
    for entity in entities:
        for name, data in _named(column, "contexts", entity).items():
            found.setdefault(name, []).append(data)


def _named(column: str, prefix: str, body: Any) -> dict[str, Any]:
    schema = body.get("schema") if isinstance(body, dict) else None
    parts = _SCHEMA.fullmatch(schema) if isinstance(schema, str) else None
    if parts is None or "data" not in body:
        raise _broken(column, "wants a 'schema' such as iglu:com.acme/order_placed/jsonschema/1-0-0, and its 'data'")
    vendor, name = re.sub("[.-]", "_", parts[1]).lower(), _HUMP.sub("_", parts[2]).replace("-", "_").lower()
    return {f"{prefix}_{vendor}_{name}_{parts[3]}": body["data"]}


def _broken(column: str, detail: str) -> RefusedError:
    return RefusedError(MapRejectReason.BAD_WRAPPER, Stage.UNWRAP, column, detail)
