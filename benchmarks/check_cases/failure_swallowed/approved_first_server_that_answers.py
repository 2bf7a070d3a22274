def resolve(name, servers):
    errors = []
    answer = None
    for server in servers:
        try:
            answer = server.ask(name)
        except TimeoutError as error:
            errors.append(error)
        else:
            break
    if errors and not answer:
        raise LookupError(name)
    return answer
