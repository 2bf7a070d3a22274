"""Calls a SOAP service with a SAML token in its header: builds, never reads."""

from lxml import etree
from zeep import Client
from zeep.wsse.signature import Signature


def header(assertion_xml):
    security = etree.Element(
        "{http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-secext-1.0.xsd}Security"
    )
    security.append(etree.fromstring(assertion_xml))
    return security


def call(wsdl, assertion_xml, key, certificate):
    client = Client(wsdl, wsse=Signature(key, certificate))
    answer = client.service.Lookup(_soapheaders=[header(assertion_xml)])
    return answer.Subject, answer.Attribute
