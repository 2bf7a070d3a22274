def import_rows(store, rows):
    failed = []
    done = 0
    for row in rows:
        try:
            store.insert(row)
            done += 1
        except ValueError as error:
            failed.append((row["id"], str(error)))
    return {"imported": done, "failed": failed}


def close_all(things):
    errors = []
    for thing in things:
        try:
            thing.commit()
        except Exception as error:
            errors.append(error)
    if errors:
        raise ExceptionGroup("not committed", errors)
