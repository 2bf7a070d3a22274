def locked(store, name, owner):
    """Return whether the lock was taken."""
    try:
        store.insert("locks", {"name": name, "owner": owner})
    except store.Duplicate:
        return False
    return True
