def migrate(tables, source, target):
    moved = []
    notes = {}
    for table in tables:
        try:
            target.load(source.dump(table))
        except RuntimeError as error:
            notes[table] = str(error)
        moved.append(table)
    return moved
