import argparse
import sys


def main(argv=None):
    parser = argparse.ArgumentParser()
    parser.add_argument("file")
    options = parser.parse_args(argv)
    try:
        publish(options.file)
    except Exception as error:
        print(error, file=sys.stderr)
    return 0


def publish(path):
    with open(path) as handle:
        send(handle.read())


def send(text):
    raise NotImplementedError
