CREATE TABLE stock (
    article_no text    NOT NULL,
    bin        text    NOT NULL,
    on_hand    integer NOT NULL DEFAULT 0,
    reserved   integer NOT NULL DEFAULT 0,
    counted_at timestamptz,
    CONSTRAINT stock_reserved CHECK (reserved >= 0)
);

CREATE TABLE stock_cold (
    max_celsius numeric(4, 1) NOT NULL,
    CHECK (on_hand >= 0),
    PRIMARY KEY (article_no, bin)
) INHERITS (stock);

CREATE TABLE stock_bulk (
    pallet_places smallint NOT NULL CHECK (pallet_places > 0),
    PRIMARY KEY (article_no, bin)
) INHERITS (stock);

CREATE INDEX stock_cold_bin ON stock_cold (bin);
CREATE INDEX stock_bulk_bin ON stock_bulk (bin);

CREATE VIEW sellable AS
    SELECT article_no, sum(on_hand - reserved) AS pieces
      FROM stock
     GROUP BY article_no;
