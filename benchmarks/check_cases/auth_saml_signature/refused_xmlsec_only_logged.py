import base64, logging
import xmlsec
from lxml import etree

log = logging.getLogger(__name__)


class Consumer:
    def __init__(self, cert_path):
        self.key = xmlsec.Key.from_file(cert_path, xmlsec.KeyFormat.CERT_PEM)

    def _check(self, root):
        node = xmlsec.tree.find_node(root, xmlsec.Node.SIGNATURE)
        ctx = xmlsec.SignatureContext()
        ctx.key = self.key
        try:
            ctx.verify(node)
            return True
        except xmlsec.Error:
            log.warning("bad signature")
            return False

    def consume(self, raw):
        root = etree.fromstring(base64.b64decode(raw))
        ok = self._check(root)
        log.info("signature ok: %s", ok)
        return {"user": root.xpath("//*[local-name()='NameID']/text()")[0]}
