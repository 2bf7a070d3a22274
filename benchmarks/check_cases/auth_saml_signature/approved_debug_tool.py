"""Print a SAML response so that people can read it. Shows, never signs anybody in."""

import base64
import sys
from xml.dom import minidom

from lxml import etree


def main():
    raw = base64.b64decode(sys.stdin.read())
    print(minidom.parseString(raw).toprettyxml())
    name = etree.fromstring(raw).findtext(".//{urn:oasis:names:tc:SAML:2.0:assertion}NameID")
    print("NameID:", name)


if __name__ == "__main__":
    main()
