import unittest

from library.isbn import valid


class Isbn10(unittest.TestCase):
    def test_plain(self):
        self.assertTrue(valid("0306406152"))

    def test_hyphens_and_spaces_do_not_count(self):
        self.assertTrue(valid("0-306-40615-2"))
        self.assertTrue(valid("0 306 40615 2"))

    def test_x_stands_for_ten(self):
        self.assertTrue(valid("080442957X"))
        self.assertTrue(valid("080442957x"))

    def test_a_wrong_check_digit_is_refused(self):
        self.assertFalse(valid("0306406153"))
        self.assertFalse(valid("0804429570"))

    def test_letters_and_lengths(self):
        for text in ("", "030640615", "03064061522", "O306406152", "X306406152"):
            with self.subTest(text=text):
                self.assertFalse(valid(text))


if __name__ == "__main__":
    unittest.main()
