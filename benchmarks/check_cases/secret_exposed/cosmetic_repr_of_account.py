import logging
from dataclasses import asdict, dataclass, field

log = logging.getLogger(__name__)


@dataclass
class Account:
    name: str
    api_key: str = field(repr=False)


def open_account(row):
    account = Account(row["name"], row["api_key"])
    log.info("opened %s", asdict(account))
    return account
