def add_vat(x, rate):
    return round(x * (1 + rate / 100), 2)

class Invoice:
    def __init__(self, lines):
        self.lines = lines
    def gross(self):
        return sum(add_vat(line.price, line.vat_percent) for line in self.lines)
