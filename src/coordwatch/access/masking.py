"""Personal data hidden from whoever need not see it: mail addresses and telephone numbers, wherever they stand in a text.

Enters: a text on its way to a reader. Leaves: the same, masked. The next room: the door, on its way out.
"""

import re
from collections.abc import Set

MASKED = "•••"
# In every alphabet, and as pages and addresses write what they must escape.
_NAME = r"[\w.%+'~!$*-]"
_MAIL = re.compile(
    rf"(?<!{_NAME})(?:{_NAME}|&#39;)+(?:@|%40|&#64;)[\w%-]{{1,63}}(?:[.\u3002\uff0e\uff61][\w%-]{{1,63}})+"
)
_PHONE = re.compile(
    r"(?:(?<![\w+])|(?<=%[0-9A-Fa-f]{2}))(?:\+|%2[Bb]|&#43;)[1-9](?:(?:[ ().-]|%20|%28|%29){0,2}\d){6,14}(?!\w)"
)
# What a sentence had no room for: half an address, half a number.
_CUT = re.compile(rf"(?<!{_NAME})({_NAME})(?:{_NAME}|&#39;)*(?:@|%40|&#64;)[\w.%-]{{0,80}}\u2026")
_CUT_PHONE = re.compile(r"(?<![\w+])(?:\+|&#43;)[1-9][\d ().-]{3,20}\u2026")
NOBODY_SPARED: frozenset[str] = frozenset()


def mask_text(text: str, spared: Set[str] = NOBODY_SPARED) -> str:
    """Text without the mail addresses and telephone numbers that are in it.

    Takes: `spared`, names of those who work here: who acknowledged an alert is no secret
    """
    if "@" in text or "%40" in text or "&#64;" in text:
        text = _MAIL.sub(lambda found: found[0] if found[0] in spared else f"{found[0][0]}{MASKED}", text)
    if "+" in text or "%2" in text or "&#43;" in text:
        text = _PHONE.sub(lambda found: f"{MASKED}{found[0][-2:]}", text)
    if "\u2026" in text:
        text = _CUT_PHONE.sub(MASKED, _CUT.sub(lambda found: f"{found[1]}{MASKED}", text))
    return text


def found_in(text: str, wanted: str) -> bool:
    """Whether a text holds what is looked for, to somebody who sees it masked.

    That is in what is left to see, or as a whole address or number: who has that already learns nothing about it.
    """
    wanted = wanted.lower()
    whole = (one[0].lower() for pattern in (_MAIL, _PHONE) for one in pattern.finditer(text))
    return wanted in mask_text(text).lower() or wanted == text.lower() or wanted in whole
