"""RE2 patterns, for `matches`.

What enters: the text of a pattern. What leaves: a pattern that searches in linear time, or why there is none.
The next room: `runtime`, which searches with it.
"""

from typing import Any

import re2

_MEMORY_MAX = 1_000_000
_LENGTH_MAX = 1_000


class BadPattern(ValueError):
    """The text is no RE2 pattern, or one that needs too much memory."""


def compile_pattern(text: str) -> Any:
    """Compile one pattern.

    Gives:  an object whose `search(text)` is None when the pattern is nowhere in the text
    Raises: BadPattern
    """
    if len(text) > _LENGTH_MAX:
        raise BadPattern(f"the pattern is longer than {_LENGTH_MAX:,} characters")
    options = re2.Options()
    options.log_errors = False
    options.max_mem = _MEMORY_MAX
    try:
        return re2.compile(text, options)
    except re2.error as error:
        reason = error.args[0] if error.args else "not understood"
        if isinstance(reason, bytes):
            reason = reason.decode("utf-8", "replace")
        raise BadPattern(f"the pattern is not valid: {reason}") from None
    except UnicodeEncodeError:
        raise BadPattern("the pattern is no valid text") from None
