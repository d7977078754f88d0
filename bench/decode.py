"""Raw decoding of a file of events, nothing else: the floor under every figure.

python -m bench.decode orjson|msgspec FILE
"""

import sys
from pathlib import Path

import msgspec
import orjson

decode = {"orjson": orjson.loads, "msgspec": msgspec.json.decode}[sys.argv[1]]
with Path(sys.argv[2]).open("rb") as file:
    for line in file:
        decode(line)
