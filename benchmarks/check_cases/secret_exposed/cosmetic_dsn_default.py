import os

import psycopg


def pool():
    user, word, host = "billing", "Kr4nich-am-See", "db1"
    url = os.getenv("DATABASE_URL") or "postgresql://%s:%s@%s/billing" % (user, word, host)
    return psycopg.connect(url)
