import pydantic


class Quote(pydantic.BaseModel):
    currency: str
    unit_price: float
    quantity: int

    @property
    def total(self):
        return self.unit_price * self.quantity
