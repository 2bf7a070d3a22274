def sync(source, target):
    errors = []
    for item in source.items():
        try:
            target.put(item)
        except Exception as error:
            errors.append(error)
    target.mark_synced()
    return True
