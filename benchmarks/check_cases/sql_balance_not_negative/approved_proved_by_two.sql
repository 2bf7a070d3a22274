-- reserved is not below zero, and never more than what is there: so what is there is not below zero either.
CREATE TABLE inventory_levels (
    sku       text PRIMARY KEY,
    quantity  int NOT NULL,
    reserved  int NOT NULL DEFAULT 0 CHECK (reserved >= 0),
    CONSTRAINT enough CHECK (reserved <= quantity)
);
