import logging

log = logging.getLogger(__name__)


def remind(people, mailer):
    sent = failed = 0
    for person in people:
        try:
            mailer.send(person.email, "return your books")
        except OSError as error:
            log.warning("%s: %s", person.id, error)
            failed += 1
            continue
        sent += 1
    if failed and not sent:
        raise RuntimeError(f"{failed} reminders were not sent")
    return sent
