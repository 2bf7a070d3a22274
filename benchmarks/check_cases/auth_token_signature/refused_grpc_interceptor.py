import base64, json
import grpc


def _b64(s):
    return base64.urlsafe_b64decode(s + "=" * ((4 - len(s) % 4) % 4))


class AuthInterceptor(grpc.ServerInterceptor):
    def intercept_service(self, continuation, details):
        meta = dict(details.invocation_metadata)
        token = meta.get("authorization", "").removeprefix("Bearer ")
        _, payload, _ = token.split(".")
        claims = json.loads(_b64(payload))
        if "orders.write" not in claims.get("scope", "").split():
            return grpc.unary_unary_rpc_method_handler(lambda r, c: c.abort(grpc.StatusCode.PERMISSION_DENIED, "no"))
        return continuation(details)
