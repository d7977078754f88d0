"""Telephone numbers in their one form, E.164: international ones as they are, national ones by a region.

What enters: a number as somebody wrote it. What leaves: `+33123456789`, or why it names nobody.
The next room: `normalise`.
"""

import re

import phonenumbers
from phonenumbers import NumberParseException, PhoneNumberFormat

from coordwatch.identity.identifier import UnusableReason

_FILLING = re.compile(r"[\s().\-/\u2010-\u2015]")
_E164 = re.compile(r"\+[1-9][0-9]{6,14}")
_WRITTEN = re.compile(r"\+?[0-9]{4,17}")
_ONE_DIGIT = re.compile(r"\+?([0-9])\1*|\+1([0-9])\2{9}")


def phone_form(written: str, region: str | None) -> str | UnusableReason:
    """Give a number with its country; a national one needs a region (`DE`), for it means another person in each country.

    A number with an extension is a switchboard, and letters are no number: both are refused.
    """
    trunk = "(0)" in written
    digits = _FILLING.sub("", written.removeprefix("tel:"))
    if digits.startswith("00"):
        digits = "+" + digits[2:]
    if not _WRITTEN.fullmatch(digits):
        return UnusableReason.MALFORMED
    if _ONE_DIGIT.fullmatch(digits):
        return UnusableReason.BLOCKED
    if not digits.startswith("+") and region is None:
        return UnusableReason.MALFORMED
    try:
        number = phonenumbers.parse(written if trunk else digits, region)
    except NumberParseException as error:
        # A country code that nobody has yet is no reason to lose a number: it still is equal to itself.
        unknown = error.error_type == NumberParseException.INVALID_COUNTRY_CODE
        return digits if unknown and not trunk and _E164.fullmatch(digits) else UnusableReason.MALFORMED
    if not phonenumbers.is_possible_number(number):
        return UnusableReason.MALFORMED
    return str(phonenumbers.format_number(number, PhoneNumberFormat.E164))


def is_region(text: str) -> bool:
    """Say whether a text is a region that numbers can be read by, such as `DE`."""
    return text in phonenumbers.SUPPORTED_REGIONS
