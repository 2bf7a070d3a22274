from portal.tokens import payload_of


class AuthenticationMiddleware:
    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        token = request.headers.get("Authorization", "").removeprefix("Bearer ")
        if token:
            request.principal = payload_of(token)
        return self.get_response(request)
