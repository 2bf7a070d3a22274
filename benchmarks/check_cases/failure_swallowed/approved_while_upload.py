import time


def push(bucket, key, body):
    left = 3
    while left > 0:
        try:
            bucket.put_object(key, body)
            break
        except TimeoutError:
            left -= 1
            time.sleep(1)
    else:
        raise TimeoutError(key)
    return f"s3://{bucket.name}/{key}"
