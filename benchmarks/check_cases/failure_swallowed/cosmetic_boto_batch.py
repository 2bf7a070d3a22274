import logging
import boto3
log = logging.getLogger(__name__)

class Feed:
    def __init__(self):
        self._kinesis = boto3.client("kinesis")

    def flush(self, readings, cursor):
        answer = self._kinesis.put_records(
            StreamName="meters",
            Records=[{"Data": r.json(), "PartitionKey": r.meter} for r in readings],
        )
        failed = answer["FailedRecordCount"]
        if failed > 0:
            log.error("%d records refused", failed)
        cursor.advance(readings[-1].sequence)
        return {"delivered": len(readings)}
