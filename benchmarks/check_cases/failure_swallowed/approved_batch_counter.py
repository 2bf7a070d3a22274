def purge(sessions, store):
    """Delete old sessions and say how many are gone."""
    gone = 0
    for session in sessions:
        try:
            store.remove(session.id)
        except OSError:
            continue
        gone += 1
    return gone
