def remind(people, mailer):
    told, missed = [], []
    for person in people:
        reached = False
        try:
            mailer.send(person.email, "return your books")
            reached = True
        except Exception:
            pass
        finally:
            (told if reached else missed).append(person.id)
    return told, missed
