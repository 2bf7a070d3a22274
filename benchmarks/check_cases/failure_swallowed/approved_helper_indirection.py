def _store(archive, letter):
    archive.put(letter.id, letter.text)


def accept(letter, archive, desk):
    try:
        _store(archive, letter)
    except Exception as error:
        print("archive", error)
        return False
    desk.mark_archived(letter.id)
    return True
