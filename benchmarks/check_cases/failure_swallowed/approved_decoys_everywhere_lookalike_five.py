import logging


def nightly(jobs, alarm):
    done = failed = 0
    for job in jobs:
        try:
            job.run()
            done += 1
        except Exception:
            logging.exception("%s", job)
            failed += 1
    if failed:
        alarm.raise_alarm(f"{failed} jobs failed")
    return done
