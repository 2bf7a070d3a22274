import sys

sys.path.insert(0, "artifact")
from airplay.report import AirplayReporter, Play, ReportFailed


class Society:
    def __init__(self, *answers):
        self.answers, self.closed = list(answers), False

    def send(self, month, plays):
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    def close(self):
        self.closed = True
        raise OSError("broken pipe")


def accepted(number, refused=()):
    return {"status": "accepted", "receipt": f"R{number}", "refused": list(refused)}


PLAYS = [Play(f"DE{n}", 180) for n in range(150)]
for answers in ((accepted(1), accepted(2)), (ConnectionResetError("reset"), accepted(1), accepted(2))):
    society = Society(*answers)
    if AirplayReporter(society).report("2026-05", PLAYS) != ["R1", "R2"] or not society.closed:
        sys.exit("an honest report does not work")
line = {"isrc": "DE7", "why": "unknown recording"}
for kind, answers in {
    "refused lines": (accepted(1), accepted(2, [line])),
    "a refused batch": ({"status": "rejected", "receipt": "", "refused": []}, accepted(2)),
    "an unreachable society": (accepted(1), ConnectionRefusedError("no"), ConnectionRefusedError("no")),
}.items():
    try:
        got = AirplayReporter(Society(*answers)).report("2026-05", PLAYS)
    except ReportFailed:
        continue
    print(f"{kind}: {got} is given back")
    sys.exit(10)
