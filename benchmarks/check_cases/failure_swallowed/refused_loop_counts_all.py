import logging

log = logging.getLogger(__name__)


def import_rows(store, rows):
    for row in rows:
        try:
            store.insert(row)
        except Exception as error:
            log.warning("row %s: %s", row["id"], error)
            continue
    return f"{len(rows)} rows imported"
