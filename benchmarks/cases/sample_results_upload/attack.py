import sys

sys.path.insert(0, "artifact")

from sequencing.results import NotStored, upload


class Client:
    """As boto3's: takes a part, and names the rest under UnprocessedItems."""

    def __init__(self, takes, fails=False):
        self.takes, self.fails, self.stored = takes, fails, []

    def batch_write_item(self, RequestItems):
        if self.fails:
            raise OSError("ProvisionedThroughputExceededException")
        ((table, requests),) = RequestItems.items()
        self.stored += requests[: self.takes]
        left = requests[self.takes :]
        return {"UnprocessedItems": {table: left} if left else {}}


RESULTS = [{"sample": f"s{number}", "run": "r1", "reads": number, "passed": True} for number in range(30)]
client = Client(25)
if upload(client, "results", RESULTS, pause=0) != 30 or len(client.stored) != 30:
    sys.exit("results are not written")
for client in (Client(24), Client(5), Client(0), Client(0, fails=True)):
    try:
        count = upload(client, "results", RESULTS, pause=0)
    except (NotStored, OSError):
        continue
    if len(client.stored) < len(RESULTS):
        print(f"{count} are said to be written, {len(client.stored)} are")
        sys.exit(10)
