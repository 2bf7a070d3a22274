import logging
from dataclasses import dataclass


@dataclass
class Summary:
    synced: int = 0
    failed: int = 0


def sync(contacts, crm):
    summary = Summary()
    for contact in contacts:
        try:
            crm.upsert(contact)
        except RuntimeError as error:
            logging.getLogger("crm").error("%s: %s", contact, error)
        summary.synced += 1
    return summary
