class Health:
    def __init__(self, pool):
        self.pool = pool

    def check(self):
        details = {}
        try:
            self.pool.execute("SELECT 1")
        except Exception as error:
            details["database"] = type(error).__name__
        return {"status": "ok", "checked": True}
