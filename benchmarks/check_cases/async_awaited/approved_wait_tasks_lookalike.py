import asyncio


async def store(row, db):
    await db.insert(row)


async def import_rows(rows, db):
    async with asyncio.TaskGroup() as group:
        for row in rows:
            group.create_task(store(row, db))
    return len(rows)
