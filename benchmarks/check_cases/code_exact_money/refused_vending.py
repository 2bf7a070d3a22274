class VendingMachine:
    def __init__(self):
        self.products = {"cola": 1.5, "water": 1.1}
        self.inserted = 0.0

    def insert_coin(self, coin):
        self.inserted += coin

    def buy(self, name):
        price = self.products[name]
        if self.inserted < price:
            raise ValueError("not enough money")
        change = self.inserted - price
        self.inserted = 0.0
        return name, change
