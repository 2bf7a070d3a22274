from concurrent.futures import ThreadPoolExecutor, wait
import logging

def thumbnail(store, key):
    store.put(f"thumb/{key}", store.get(key).resize((200, 200)))

def rebuild(store, keys):
    with ThreadPoolExecutor(8) as workers:
        jobs = [workers.submit(thumbnail, store, key) for key in keys]
        done, pending = wait(jobs)
    for job in done:
        if job.exception() is not None:
            logging.error("thumbnail: %r", job.exception())
    return {"rebuilt": len(jobs), "ok": True}
