from xml.dom import minidom

from . import constants as c


class SamlDocument:
    def __init__(self, text):
        self.dom = minidom.parseString(text)

    def first_text(self, tag):
        nodes = self.dom.getElementsByTagNameNS(c.ASSERTION_NS, tag)
        return nodes[0].firstChild.nodeValue if nodes else None

    def attributes(self):
        result = {}
        for node in self.dom.getElementsByTagNameNS(c.ASSERTION_NS, c.TAG_ATTRIBUTE):
            result[node.getAttribute("Name")] = [
                child.firstChild.nodeValue for child in node.childNodes if child.nodeType == child.ELEMENT_NODE
            ]
        return result
