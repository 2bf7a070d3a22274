def migrate(tables, source, target):
    moved = []
    for table in tables:
        try:
            target.load(source.dump(table))
        except RuntimeError as error:
            print(f"{table}: {error}")
        moved.append(table)
    return moved
