from dataclasses import dataclass


@dataclass
class Summary:
    seen: int = 0
    synced: int = 0
    failed: int = 0


def sync(contacts, crm):
    summary = Summary()
    for contact in contacts:
        summary.seen += 1
        try:
            crm.upsert(contact)
            summary.synced += 1
        except RuntimeError:
            summary.failed += 1
    return summary
