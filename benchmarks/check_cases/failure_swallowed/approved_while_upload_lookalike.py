import time


def push(bucket, key, body):
    left = 3
    while True:
        try:
            bucket.put_object(key, body)
            break
        except TimeoutError:
            left -= 1
            if not left:
                raise
            time.sleep(1)
    return f"s3://{bucket.name}/{key}"
