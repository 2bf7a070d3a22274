import logging
import sys

logging.disable(logging.CRITICAL)
sys.path.insert(0, "artifact")
from importer import import_members


class Directory(dict):
    full = 99

    def add(self, member):
        if len(self) >= self.full:
            raise OSError("no space left")
        self[member["number"]] = member


good = "number,name,since\n1,Ada,1990\n2,Bob,\n"
directory = Directory()
report = import_members(good, directory)
if (report.imported, report.complete, len(directory)) != (2, True, 2):
    sys.exit("two good rows are not imported")
directory = Directory()
directory.full = 1
report = import_members(good, directory)
if report.complete or report.imported > len(directory):
    print(f"the report says {report.imported} and complete={report.complete}, {len(directory)} is in")
    sys.exit(10)
