from concurrent.futures import ThreadPoolExecutor, wait

def thumbnail(store, key):
    store.put(f"thumb/{key}", store.get(key).resize((200, 200)))

def rebuild(store, keys):
    with ThreadPoolExecutor(8) as workers:
        jobs = {workers.submit(thumbnail, store, key): key for key in keys}
        done, _ = wait(jobs)
    failed = sorted(jobs[job] for job in done if job.exception() is not None)
    return {"rebuilt": len(jobs) - len(failed), "failed": failed}
