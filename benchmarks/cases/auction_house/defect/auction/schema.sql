CREATE DOMAIN money_chf AS numeric(14, 2) CHECK (VALUE >= 0);
CREATE DOMAIN percent AS double precision CHECK (VALUE BETWEEN 0 AND 100);

CREATE TYPE lot_state AS ENUM ('announced', 'open', 'sold', 'withdrawn');

CREATE TABLE lots (
    lot_no        integer PRIMARY KEY,
    title         text NOT NULL,
    state         lot_state NOT NULL DEFAULT 'announced',
    reserve       money_chf NOT NULL,
    weight_grams  real
);

CREATE TABLE bids (
    bid_id        uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    lot_no        integer NOT NULL REFERENCES lots ON DELETE CASCADE,
    bidder        text NOT NULL,
    bid           real NOT NULL CHECK (bid > 0),
    placed_at     timestamptz NOT NULL DEFAULT now(),
    UNIQUE (lot_no, bid)
);

CREATE TABLE settlements (
    lot_no        integer PRIMARY KEY REFERENCES lots,
    hammer_price  money_chf NOT NULL,
    commission    percent NOT NULL DEFAULT 12.5,
    payouts       numeric(14, 2)[] NOT NULL DEFAULT '{}'
);
