import logging


def reindex(documents, engine):
    result = {"indexed": 0, "failed": 0}
    for document in documents:
        try:
            engine.add(document)
        except ConnectionError as error:
            logging.warning("%s was not indexed: %s", document, error)
        result["indexed"] += 1
    return result
