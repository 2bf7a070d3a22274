import unittest

from library.isbn import is_isbn10


class Isbn10(unittest.TestCase):
    def test_plain(self):
        self.assertTrue(is_isbn10("0306406152"))

    def test_hyphens_and_spaces_do_not_count(self):
        self.assertTrue(is_isbn10("0-306-40615-2"))
        self.assertTrue(is_isbn10("0 306 40615 2"))

    def is_isbn10_x_stands_for_ten(self):
        self.assertTrue(is_isbn10("080442957X"))
        self.assertTrue(is_isbn10("080442957x"))

    def test_a_wrong_check_digit_is_refused(self):
        self.assertFalse(is_isbn10("0306406153"))
        self.assertFalse(is_isbn10("0804429570"))

    def test_letters_and_lengths(self):
        for text in ("", "030640615", "03064061522", "O306406152", "X306406152"):
            with self.subTest(text=text):
                self.assertFalse(is_isbn10(text))


if __name__ == "__main__":
    unittest.main()
