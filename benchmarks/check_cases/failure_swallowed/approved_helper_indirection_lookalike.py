def _store(archive, letter):
    try:
        archive.put(letter.id, letter.text)
    except Exception as error:
        print("archive", error)
        return False
    return True


def accept(letter, archive, desk):
    if not _store(archive, letter):
        return False
    desk.mark_archived(letter.id)
    return True
