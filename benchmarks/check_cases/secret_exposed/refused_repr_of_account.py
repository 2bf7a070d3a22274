import logging
from dataclasses import dataclass

log = logging.getLogger(__name__)


@dataclass
class Account:
    name: str
    api_key: str


def open_account(row):
    account = Account(row["name"], row["api_key"])
    log.info("opened %r", account)
    return account
