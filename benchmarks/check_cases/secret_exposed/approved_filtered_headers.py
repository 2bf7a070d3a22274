import logging

logger = logging.getLogger(__name__)
HIDDEN = {"authorization", "cookie"}


def log_request(request):
    shown = {k: v for k, v in request.headers.items() if k.lower() not in HIDDEN}
    logger.info("%s %s %s", request.method, request.url.path, shown)
