def archive(store, document):
    try:
        store.save(document)
    except:
        pass
