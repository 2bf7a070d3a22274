def reindex(documents, engine):
    result = {"indexed": 0, "failed": 0}
    for document in documents:
        try:
            engine.add(document)
        except ConnectionError:
            continue
        result["indexed"] += 1
    return result
