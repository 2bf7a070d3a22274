import logging
from dataclasses import dataclass

logger = logging.getLogger(__name__)


@dataclass
class Database:
    host: str
    user: str
    password: str


def boot(database: Database) -> None:
    logger.info("database settings: %r", database)
