import hmac
import os


def is_operator(request):
    return hmac.compare_digest(request.headers.get("X-Operator-Token", ""), os.environ["OPERATOR_TOKEN"])
