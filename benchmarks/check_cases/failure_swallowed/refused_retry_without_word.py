import time


def upload(bucket, path):
    for attempt in range(5):
        try:
            bucket.upload(path)
            return
        except OSError:
            time.sleep(attempt)
