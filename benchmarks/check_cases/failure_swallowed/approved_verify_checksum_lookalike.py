import os


def remove_download(path):
    try:
        os.unlink(path)
    except FileNotFoundError:
        return True
    return True
