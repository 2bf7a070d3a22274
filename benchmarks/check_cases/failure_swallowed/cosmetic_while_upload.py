import logging
import time


def push(bucket, key, body):
    left = 3
    while left > 0:
        try:
            bucket.put_object(key, body)
            break
        except TimeoutError as error:
            left -= 1
            logging.warning("%s: %s", key, error)
            time.sleep(1)
    if left == 0:
        logging.error("%s was not stored", key)
    return f"s3://{bucket.name}/{key}"
