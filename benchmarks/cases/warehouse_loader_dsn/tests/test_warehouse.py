import pytest
from loader.warehouse import connection


class Connection:
    def __init__(self, dsn):
        self.dsn, self.did = dsn, []

    def commit(self):
        self.did.append("commit")

    def rollback(self):
        self.did.append("rollback")

    def close(self):
        self.did.append("close")


@pytest.fixture(autouse=True)
def password(monkeypatch):
    monkeypatch.setenv("WAREHOUSE_PASSWORD", "p/w")


def test_a_run_is_committed():
    with connection(Connection) as opened:
        pass

    assert ["commit", "close"] == opened.did
    assert "postgresql://loader:p/w@wh-1.internal/facts" == opened.dsn


def test_a_failed_run_is_rolled_back():
    seen = []
    with pytest.raises(KeyError), connection(Connection) as opened:
        seen.append(opened)
        raise KeyError("x")

    assert ["rollback", "close"] == seen[0].did
