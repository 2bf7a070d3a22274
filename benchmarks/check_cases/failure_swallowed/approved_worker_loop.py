import logging

logger = logging.getLogger(__name__)


def work(queue, handle):
    while True:
        job = queue.get()
        try:
            handle(job)
        except Exception:
            logger.exception("job %s failed", job.id)
            queue.nack(job)
        else:
            queue.ack(job)
