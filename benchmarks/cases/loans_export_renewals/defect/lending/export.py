import csv
import io
from collections.abc import Iterable

from lending.loans import Loan

COLUMNS = ["card", "signature", "branch", "due", "dues", "renewals"]


def row(loan: Loan) -> list[str]:
    euros, cents = divmod(loan.dues_cents, 100)
    return [
        loan.card,
        loan.signature,
        loan.branch,
        loan.due.isoformat(),
        f"{euros},{cents:02}",
        str(loan.renewals),
    ]


def export(loans: Iterable[Loan]) -> str:
    """Return all loans as the collection agency reads them."""
    out = io.StringIO()
    writer = csv.writer(out, delimiter=";", lineterminator="\n")
    writer.writerow(COLUMNS)
    for loan in loans:
        writer.writerow(row(loan))
    return out.getvalue()
