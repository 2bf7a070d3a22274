def ensure_bucket(client, name):
    try:
        client.create_bucket(name)
    except FileExistsError:
        pass
    return name


def enroll(session, Member, user, group):
    try:
        session.add(Member(user=user, group=group))
        session.flush()
    except IntegrityError:
        session.rollback()
        return "already"
    return "enrolled"
