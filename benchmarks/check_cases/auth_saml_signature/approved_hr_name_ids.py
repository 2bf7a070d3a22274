import xml.etree.ElementTree as ET


def people(path):
    for p in ET.parse(path).iter("Person"):
        yield {"NameID": p.findtext("NameID"), "name": p.findtext("Name"), "subject": p.findtext("Subject")}
