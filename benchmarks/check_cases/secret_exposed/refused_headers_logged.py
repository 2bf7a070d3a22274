import logging
import os

import httpx

logger = logging.getLogger(__name__)


def fetch(path):
    headers = {"Accept": "application/json", "Authorization": "Bearer " + os.environ["CRM_TOKEN"]}
    logger.debug("GET %s %s", path, headers)
    return httpx.get(f"https://crm.internal{path}", headers=headers, timeout=5).json()
