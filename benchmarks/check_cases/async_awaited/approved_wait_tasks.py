import asyncio


async def store(row, db):
    await db.insert(row)


async def import_rows(rows, db):
    tasks = []
    for row in rows:
        tasks.append(store(row, db))
    await asyncio.gather(*tasks)
    return len(tasks)
