def rows(table):
    return sorted(table, key="Name2Address4Street".casefold)


COMMITS = {"key": "first", "sha": "9fceb02d0ae598e95dc970b74767f19372d61af8"}
