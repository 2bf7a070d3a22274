import logging
import shutil

log = logging.getLogger(__name__)


def to_archive(folder, target):
    try:
        shutil.copytree(folder, target)
    except OSError as error:
        log.error("not archived: %s", error)
    shutil.rmtree(folder)
