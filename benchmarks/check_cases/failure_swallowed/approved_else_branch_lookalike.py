def migrate(tables, source, target):
    seen = []
    broken = {}
    for table in tables:
        seen.append(table)
        try:
            target.load(source.dump(table))
        except RuntimeError as error:
            broken[table] = str(error)
    return seen, broken
