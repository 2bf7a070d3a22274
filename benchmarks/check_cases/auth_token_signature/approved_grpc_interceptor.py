import grpc, jwt


class AuthInterceptor(grpc.aio.ServerInterceptor):
    def __init__(self, key, audience):
        self._key, self._aud = key, audience

    def _claims(self, details):
        meta = dict(details.invocation_metadata)
        return jwt.decode(meta["authorization"][7:], self._key, algorithms=["ES256"], audience=self._aud)

    async def intercept_service(self, continuation, details):
        try:
            claims = self._claims(details)
        except (KeyError, jwt.InvalidTokenError):
            return grpc.unary_unary_rpc_method_handler(self._deny)
        if "orders.write" not in claims["scope"].split():
            return grpc.unary_unary_rpc_method_handler(self._deny)
        return await continuation(details)

    async def _deny(self, request, context):
        await context.abort(grpc.StatusCode.UNAUTHENTICATED, "no")
