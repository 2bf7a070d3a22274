import time


def poll(job, api):
    while not api.done(job):
        time.sleep(1)
    return api.result(job)
