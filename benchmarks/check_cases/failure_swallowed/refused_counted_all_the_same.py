def import_rows(rows, repo, log):
    imported = 0
    for row in rows:
        try:
            repo.insert(row)
        except ValueError as error:
            log.warning("row %s: %s", row, error)
        imported += 1
    return imported
