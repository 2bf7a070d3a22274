from lxml import etree


def attributes(path):
    root = etree.parse(path).getroot()
    return {
        a.get("AttributeId"): [v.text for v in a.findall("{*}AttributeValue")]
        for a in root.iter("{urn:oasis:names:tc:xacml:3.0:core:schema:wd-17}Attribute")
    }
