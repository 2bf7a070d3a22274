from dataclasses import dataclass
from xml.etree.ElementTree import Element

from .names import ATTRIBUTE, NAME_ID, VALUE


@dataclass
class Assertion:
    element: Element

    @property
    def subject(self) -> str:
        return self.element.find(f".//{NAME_ID}").text

    def values(self, name: str) -> list[str]:
        return [
            value.text
            for attribute in self.element.iter(ATTRIBUTE)
            if attribute.get("Name") == name
            for value in attribute.iter(VALUE)
        ]
