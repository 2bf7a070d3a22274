def reindex(documents, engine):
    left = list(documents)
    for document in documents:
        try:
            engine.add(document)
        except ConnectionError:
            continue
        left.remove(document)
    return left
