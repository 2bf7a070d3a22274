import sqlite3


def move(db: sqlite3.Connection, shop_id: int, source: int, target: int, pieces: int) -> None:
    with db:
        taken = db.execute(
            "UPDATE shelves SET pieces = pieces - ? WHERE id = ? AND shop_id = ? AND pieces >= ?",
            (pieces, source, shop_id, pieces),
        )
        if taken.rowcount != 1:
            raise LookupError(source)
        own = db.execute("SELECT id FROM shelves WHERE id = ? AND shop_id = ?", (target, shop_id)).fetchone()
        if own is None:
            raise LookupError(target)
        db.execute("UPDATE shelves SET pieces = pieces + ? WHERE id = ?", (pieces, target))


def shelves(db: sqlite3.Connection, shop_id: int) -> list[tuple]:
    return db.execute("SELECT id, name, pieces FROM shelves WHERE shop_id = ?", (shop_id,)).fetchall()
