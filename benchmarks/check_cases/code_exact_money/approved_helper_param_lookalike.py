def kmh(x, secs):
    return round(x / secs * 3.6, 2)

class Invoice:
    def __init__(self, lines, km, secs):
        self.lines = lines
        self.speed = kmh(km, secs)
    def gross(self):
        return sum(line.price_cents for line in self.lines)
