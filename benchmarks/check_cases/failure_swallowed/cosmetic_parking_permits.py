import logging

log = logging.getLogger(__name__)


class PermitDesk:
    def __init__(self, registry, printer):
        self.registry = registry
        self.printer = printer

    def renew(self, plate, months):
        error = None
        try:
            self.registry.extend(plate, months)
        except ConnectionError as exc:
            error = exc
            log.exception("registry: %s", error)
        self.printer.print_permit(plate, months)
        return {"plate": plate, "renewed": True}
