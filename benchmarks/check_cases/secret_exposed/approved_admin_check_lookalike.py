def is_json(request):
    return request.headers.get("Accept") == "application/vnd.api+json; version=2"
