import tempfile
import unittest
from pathlib import Path

from warehouse.stock import OutOfStock, Stock


class FileJournal:
    def __init__(self, path):
        self.path = Path(path)

    def write(self, line):
        with self.path.open("a") as file:
            file.write(line + "\n")


class StockTest(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)
        self.journal = FileJournal(Path(self.folder.name) / "journal")
        self.told = []
        self.stock = Stock(self.journal, self.told.append)
        self.stock.receive("lamp", 5)

    def test_what_is_reserved_is_no_longer_free(self):
        self.assertEqual(3, self.stock.reserve("lamp", 2))
        self.assertEqual(3, self.stock.free("lamp"))

    def test_more_than_is_free_is_refused(self):
        self.stock.reserve("lamp", 4)
        with self.assertRaises(OutOfStock):
            self.stock.reserve("lamp", 2)
        self.assertEqual(1, self.stock.free("lamp"))

    def test_the_last_piece_is_told_of(self):
        self.stock.reserve("lamp", 5)
        self.assertEqual(["lamp"], self.told)

    def test_the_journal_has_every_move(self):
        self.stock.reserve("lamp", 1)
        self.assertEqual(["+5 lamp", "r1 lamp"], self.journal.path.read_text().split("\n")[:2])
