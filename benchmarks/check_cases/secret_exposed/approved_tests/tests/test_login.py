PASSWORD = "Tr0ub4dor&3-Zk"
KEY = "sk_live_4Zr8Tq1YwX7mKc2LpV9s"


def test_login(client):
    assert client.post("/login", json={"password": PASSWORD}).status_code == 200
