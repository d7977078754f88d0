"""Let `python -m coordwatch` be the command `coordwatch`.

What enters: the arguments of the process.
What leaves: its exit code.
The next room: `cli`, which picks the command.
"""

import sys

from coordwatch.cli import main

if __name__ == "__main__":
    sys.exit(main())
