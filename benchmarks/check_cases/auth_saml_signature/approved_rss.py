import xml.etree.ElementTree as ET


def entries(text):
    root = ET.fromstring(text)
    return [(item.findtext("title"), item.findtext("guid")) for item in root.iter("item")]


def manifest_permissions(path):
    tree = ET.parse(path)
    name = "{http://schemas.android.com/apk/res/android}name"
    return [node.get(name) for node in tree.getroot().iter("uses-permission")]
