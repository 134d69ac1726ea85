"""Which client has had a good answer from which operation, and the table of it in docs/sandbox.md.

Only answers that the judge let pass are written down. The table is made by a full run of this folder and committed; the
last test of a full run holds the committed one to what the run saw. `UPDATE_CONFORMANCE=1` writes it anew.
"""

from pathlib import Path

DOCUMENT = Path(__file__).parents[2] / "docs/sandbox.md"
BEGIN = "<!-- made by the conformance tests: UPDATE_CONFORMANCE=1 scripts/test conformance -->\n"
END = "<!-- end of what the conformance tests made -->\n"

CLIENTS = ["boto3", "AWS CLI", "Rust SDK"]
# In the order of the table. Names are those of botocore's service models.
SERVICES = {
    "bedrock": "Bedrock",
    "bedrock-runtime": "Bedrock Runtime",
    "s3": "S3",
    "sts": "STS",
    "iam": "IAM",
    "service-quotas": "Service Quotas",
    "pricing": "Price List",
}


class Ledger:
    def __init__(self):
        self.seen = {}

    def record(self, client, service, operation):
        self.seen.setdefault((service, operation), set()).add(client)

    def table(self, cannot):
        """The table as markdown. `cannot` holds the (client, service, operation) that a client does not have at all."""
        lines = ["| service | operation | " + " | ".join(CLIENTS) + " |", "| --- | --- |" + " --- |" * len(CLIENTS)]
        for service, operation in sorted(self.seen, key=lambda row: (list(SERVICES).index(row[0]), row[1])):
            cells = [
                "✓" if client in self.seen[service, operation] else "not in it" if row in cannot else "–"
                for client in CLIENTS
                for row in [(client, service, operation)]
            ]
            lines.append(f"| {SERVICES[service]} | {operation} | " + " | ".join(cells) + " |")
        return "\n".join(lines) + "\n"


# One run, one ledger: clients are made all over the tests.
LEDGER = Ledger()


def committed():
    text = DOCUMENT.read_text(encoding="utf-8")
    return text.partition(BEGIN)[2].partition(END)[0].strip() + "\n"


def rewrite(table):
    before, begin, rest = DOCUMENT.read_text(encoding="utf-8").partition(BEGIN)
    _, end, after = rest.partition(END)
    assert begin and end, f"{DOCUMENT} has no place for the table"
    DOCUMENT.write_text(before + begin + "\n" + table + "\n" + end + after, encoding="utf-8")
