import logging

log = logging.getLogger(__name__)


class PermitDesk:
    def __init__(self, registry, printer):
        self.registry = registry
        self.printer = printer

    def renew(self, plate, months):
        renewed = True
        try:
            self.registry.extend(plate, months)
        except ConnectionError as exc:
            log.warning("registry: %s", exc)
            renewed = False
        if renewed:
            self.printer.print_permit(plate, months)
        return {"plate": plate, "renewed": renewed}
