import unittest
from unittest import mock

from warehouse.stock import OutOfStock, Stock


class StockTest(unittest.TestCase):
    def setUp(self):
        self.journal = mock.Mock(spec=["write"])
        self.notify = mock.Mock()
        self.stock = Stock(self.journal, self.notify)
        reserving = mock.patch.object(self.stock, "reserve", wraps=self.stock.reserve)
        self.reserve = reserving.start()
        self.addCleanup(reserving.stop)
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
        self.notify.assert_called_once_with("lamp")
        self.reserve.assert_called_once_with("lamp", 5)

    def test_the_journal_has_every_move(self):
        self.stock.reserve("lamp", 1)
        self.assertEqual([mock.call("+5 lamp"), mock.call("r1 lamp")], self.journal.write.call_args_list)
