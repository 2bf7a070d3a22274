CREATE TABLE berths (
    berth_no     varchar(8) PRIMARY KEY,
    length_m     double precision NOT NULL CHECK (length_m > 0),
    depth_m      double precision NOT NULL
);

CREATE TABLE berth_fees (
    fee_id       bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    berth_no     varchar(8) NOT NULL REFERENCES berths,
    skipper      text NOT NULL,
    nights       integer NOT NULL CHECK (nights > 0),
    fee_eur      double precision NOT NULL CHECK (fee_eur >= 0),
    paid_at      timestamptz
);

CREATE VIEW open_fees AS
SELECT skipper, sum(fee_eur) AS owed_eur
  FROM berth_fees
 WHERE paid_at IS NULL
 GROUP BY skipper;
