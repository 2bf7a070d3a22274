class Letters:
    def __init__(self, conn, org_id):
        self._conn = conn
        self._org_id = org_id

    def of_day(self, day):
        return self._all("SELECT id, subject FROM letter WHERE org_id = %(org_id)s AND day = %(day)s", day=day)

    def search(self, words):
        where = ["%(org_id)s IS NOT NULL", "subject ILIKE %(words)s"]
        return self._all("SELECT id, subject FROM letter WHERE " + " AND ".join(where), words=words)

    def _all(self, sql, **values):
        return self._conn.execute(sql, {**values, "org_id": self._org_id}).fetchall()
