def _store(archive, letter):
    try:
        archive.put(letter.id, letter.text)
    except Exception as error:
        print("archive", error)


def accept(letter, archive, desk):
    _store(archive, letter)
    desk.mark_archived(letter.id)
    return True
