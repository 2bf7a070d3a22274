"""Export of a plan for calendars."""

from __future__ import annotations

from rehearsals.plan import Slot


def export(slots: list[Slot], hall: str) -> str:
    lines = ["BEGIN:VCALENDAR", "VERSION:2.0"]
    for slot in slots:
        lines += [
            "BEGIN:VEVENT",
            f"DTSTART:{slot.begins:%Y%m%dT%H%M%S}",
            f"DTEND:{slot.ends:%Y%m%dT%H%M%S}",
            f"SUMMARY:{slot.work}",
            f"LOCATION:{hall}",
            "END:VEVENT",
        ]
    return "\n".join([*lines, "END:VCALENDAR"]) + "\n"
