def arm(alarm, zones, log):
    for zone in zones:
        try:
            alarm.activate(zone)
        except AlarmError:
            log.exception("zone %s", zone)
    return {"state": "armed", "zones": zones}
