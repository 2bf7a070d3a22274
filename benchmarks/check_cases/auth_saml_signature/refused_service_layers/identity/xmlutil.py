from lxml import etree


def parse(data):
    return etree.fromstring(data, parser=etree.XMLParser(resolve_entities=False))


def text(node, path, ns):
    found = node.xpath(path, namespaces=ns)
    return found[0].text if found else None
