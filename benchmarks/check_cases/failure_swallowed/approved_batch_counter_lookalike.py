def purge(sessions, store):
    """Delete old sessions and say how many are gone."""
    gone = 0
    left = []
    for session in sessions:
        try:
            store.remove(session.id)
        except OSError:
            left.append(session.id)
        else:
            gone += 1
    return gone, left
