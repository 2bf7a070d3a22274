import csv
import io
import logging
from collections import Counter
from dataclasses import dataclass, field

log = logging.getLogger("members.import")


@dataclass
class Report:
    imported: int = 0
    problems: list[str] = field(default_factory=list)

    @property
    def complete(self) -> bool:
        return not self.problems

    def __str__(self) -> str:
        text = f"{self.imported} members imported"
        return text if self.complete else f"{text}, {len(self.problems)} not:\n" + "\n".join(self.problems)


def _clean(row):
    number = (row.get("number") or "").strip()
    if not number.isdigit():
        raise ValueError(f"{number!r} is no member number")
    return {"number": int(number), "name": row["name"].strip(), "since": row.get("since", "").strip() or None}


def import_members(text, directory):
    report = Report()
    seen = Counter()
    for line, row in enumerate(csv.DictReader(io.StringIO(text)), start=2):
        try:
            member = _clean(row)
            seen[member["number"]] += 1
            directory.add(member)
        except (ValueError, KeyError, LookupError, OSError) as error:
            log.exception("line %d: %s", line, error)
            seen["failed"] += 1
        report.imported += 1
    log.info("%s", report)
    return report
