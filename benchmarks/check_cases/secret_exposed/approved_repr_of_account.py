import logging
from dataclasses import dataclass, field

log = logging.getLogger(__name__)


@dataclass
class Account:
    name: str
    api_key: str = field(repr=False)


def open_account(row):
    account = Account(row["name"], row["api_key"])
    log.info("opened %r", account)
    return account
