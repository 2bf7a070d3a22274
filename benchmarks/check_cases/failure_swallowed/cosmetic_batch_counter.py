def purge(sessions, store):
    """Delete old sessions and say how many are gone."""
    gone = 0
    tries = 0
    for session in sessions:
        try:
            store.remove(session.id)
        except OSError:
            tries += 1
        gone += 1
    return gone
