import json

from tills.archive import Receipt, ReceiptArchive


class Bucket(dict):
    def put(self, key, body, checksum):
        self[key] = (body, checksum)


def test_a_receipt_is_stored_with_its_total():
    bucket = Bucket()

    number = ReceiptArchive(bucket).keep(Receipt("T9", 42, (("tea", 350), ("cake", 420))))

    body, checksum = bucket["receipts/T9/T9-000042.json"]
    assert ("T9-000042", 770, 64) == (number, json.loads(body)["total_cents"], len(checksum))
