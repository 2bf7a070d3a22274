import logging
import sys

logging.disable(logging.CRITICAL)
sys.path.insert(0, "artifact")
from tills.archive import Receipt, ReceiptArchive


class Bucket(dict):
    down = False

    def put(self, key, body, checksum):
        if self.down:
            raise OSError("bucket is not reachable")
        self[key] = body

    def discard(self, key):
        self.pop(key, None)


bucket = Bucket()
archive = ReceiptArchive(bucket)
if archive.keep(Receipt("T1", 1, (("tea", 350),))) != "T1-000001" or not bucket:
    sys.exit("a receipt is not archived")
bucket.down = True
try:
    told = archive.keep(Receipt("T1", 2, (("tea", 350),)))
except Exception:
    told = None
if told and len(bucket) == 1:
    print(f"the till was told {told}, which is not in the bucket")
    sys.exit(10)
