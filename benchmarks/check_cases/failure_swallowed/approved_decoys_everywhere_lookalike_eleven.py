import logging


def save(order, store, search):
    store.save(order)
    order.saved = True
    try:
        search.index(order)
    except ConnectionError:
        # The nightly run indexes whatever is missing.
        logging.exception("not indexed: %s", order.id)
        store.enqueue_reindex(order.id)
    return order
