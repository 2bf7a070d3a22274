import logging

logger = logging.getLogger(__name__)


def parse(tokens):
    for token in tokens:
        logger.debug("token %s", token)
        if token.kind == "end":
            raise SyntaxError(f"unexpected {token}")
