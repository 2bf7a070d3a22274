"""Product feed: Attribute, AttributeValue and Subject are words of the shop's own schema."""

from lxml import etree

NS = {"p": "urn:example:catalogue:2"}


def products(feed: bytes):
    root = etree.fromstring(feed)
    for product in root.iterfind("p:Product", NS):
        yield {
            "subject": product.findtext("p:Subject", namespaces=NS),
            "attributes": {
                a.get("Name"): a.findtext("p:AttributeValue", namespaces=NS)
                for a in product.iterfind("p:Attribute", NS)
            },
        }


def assertions(report):
    """Count the assertions of a JUnit report."""
    return sum(int(s.get("assertions", 0)) for s in etree.fromstring(report).iter("testsuite", "Assertion"))
