"""Assets of the sign-in page (SAML, OIDC): reads SVG icons and the sitemap."""

import xml.etree.ElementTree as ET

from bs4 import BeautifulSoup


def icon(svg):
    root = ET.fromstring(svg)
    return root.get("viewBox"), [p.get("d") for p in root.iter("{http://www.w3.org/2000/svg}path")]


def links(html):
    soup = BeautifulSoup(html, "html.parser")
    return [a["href"] for a in soup.find_all("a")], soup.find("meta", {"name": "subject"})
