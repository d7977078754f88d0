"""What is wrong with one value of the settings, in words of the person who wrote it.

What enters: one error of pydantic's. What leaves: a sentence, and the next move where there is one.
The next room: `reading`, which adds the place.
"""

from collections.abc import Mapping
from typing import Any

from coordwatch.documents import did_you_mean

_WORDS = {
    "tuple_type": "a list belongs here: a line '- ...' for each, or [...]",
    "list_type": "a list belongs here: a line '- ...' for each, or [...]",
    "dict_type": "names with values belong here: a line 'name: value' for each, or {...}",
    "mapping_type": "names with values belong here: a line 'name: value' for each, or {...}",
    "model_type": "names with values belong here: a line 'name: value' for each, or {...}",
    "model_attributes_type": "names with values belong here: a line 'name: value' for each, or {...}",
    "bool_type": "write true or false",
    "bool_parsing": "write true or false",
    "int_type": "write a whole number",
    "int_parsing": "write a whole number",
    "int_from_float": "write a whole number",
    "float_type": "write a number",
    "float_parsing": "write a number",
    "string_type": "write a text; a number is one between quotation marks",
    "path_type": "write the path of a file or folder",
    "union_tag_not_found": "'kind' is missing: what is it?",
}


def said(error: Mapping[str, Any]) -> tuple[str, str | None]:
    """The sentence for an error, and the nearest word where a wrong one was written."""
    kind, context = error["type"], error.get("ctx") or {}
    if kind == "union_tag_invalid":
        known = [one.strip().strip("'") for one in str(context["expected_tags"]).split(",")]
        return f"there is no kind '{context['tag']}', but {_either(known)}", did_you_mean(str(context["tag"]), known)
    if kind in ("literal_error", "enum"):
        return f"write {context['expected']}", None
    return _WORDS.get(kind, str(error["msg"]).removeprefix("Value error, ")), None


def _either(words: list[str]) -> str:
    quoted = [f"'{word}'" for word in words]
    return f"{', '.join(quoted[:-1])} and {quoted[-1]}" if len(quoted) > 1 else "".join(quoted)
