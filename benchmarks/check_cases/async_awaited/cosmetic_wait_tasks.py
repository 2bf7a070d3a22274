import asyncio


async def store(row, db):
    await db.insert(row)


async def import_rows(rows, db):
    tasks = []
    for row in rows:
        task = store(row, db)
        if asyncio.iscoroutine(task):
            tasks.append(task)
    done = [t for t in tasks if t]
    return len(done)
