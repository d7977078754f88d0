"""Two hundred rules out of five: each further rule is one of the five, narrowed to one campaign, platform or queue.

python -m bench.many 200 > rules.yaml
"""

import sys
from pathlib import Path

NARROWED = (
    ('where: category == "promotional"}', "where: 'category == \"promotional\" && campaign == \"campaign-{n:04d}\"'}}"),
    ('where: action == "added"}', "where: 'action == \"added\" && platform == \"ads-{n}\"'}}"),
    ('where: status == "cancelled"}', "where: 'status == \"cancelled\" && campaign == \"campaign-{n:04d}\"'}}"),
    ("when:\n  fallback: {event: bot.message.sent, where: fallback == true}",
     "when:\n  fallback: {{event: bot.message.sent, where: 'fallback == true && response_id == \"r-{n}\"'}}"),
    ("asked: {event: agent.detail.requested}", "asked: {{event: agent.detail.requested, where: 'via == \"via-{n}\"'}}"),
)  # fmt: skip


def rules(count: int) -> str:
    """The five rules, and as many narrowed ones as make up the count."""
    five = (Path(__file__).parent / "five.yaml").read_text().split("\n---\n")
    documents = list(five)
    for number in range(count - len(five)):
        kind = number % len(five)
        wide, narrow = NARROWED[kind]
        document = five[kind].replace(wide, narrow.format(n=number), 1)
        documents.append(document.replace("\ntitle:", f"-{number}\ntitle:", 1))
    return "\n---\n".join(documents)


if __name__ == "__main__":
    sys.stdout.write(rules(int(sys.argv[1])))
