import logging
def import_rows(store, rows):
    errors = []
    for number, row in enumerate(rows, 1):
        try:
            store.insert(row)
        except store.Refused as exc:
            errors.append((number, str(exc)))
    return errors

def handle_upload(store, upload, mailer):
    errors = import_rows(store, upload.rows())
    for number, reason in errors:
        logging.warning("row %d: %s", number, reason)
    upload.status = "imported"
    mailer.send(upload.owner, "Your upload has been imported.")
