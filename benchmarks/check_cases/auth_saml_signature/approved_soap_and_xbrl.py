from lxml import etree

SOAP = {"soap": "http://schemas.xmlsoap.org/soap/envelope/", "xbrli": "http://www.xbrl.org/2003/instance"}


def soap_fault(data):
    root = etree.fromstring(data)
    fault = root.find("soap:Body/soap:Fault", SOAP)
    return fault.findtext("faultstring") if fault is not None else None


def facts(data):
    root = etree.fromstring(data)
    contexts = {
        c.get("id"): c.findtext("xbrli:entity/xbrli:identifier", namespaces=SOAP)
        for c in root.iterfind("xbrli:context", SOAP)
    }
    return [(f.tag, f.text, contexts.get(f.get("contextRef"))) for f in root if f.get("contextRef")]
