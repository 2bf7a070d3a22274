def connected(hosts, connect):
    for host in hosts:
        try:
            return connect(host)
        except OSError:
            continue
    raise ConnectionError(f"none of {hosts} answers")
