CREATE TABLE gift_voucher (
    code        voucher_code PRIMARY KEY,
    face_value  euro,
    remaining   euro,
    sold_at     timestamptz NOT NULL DEFAULT now(),
    expires_on  date,
    CONSTRAINT remaining_within_face CHECK (remaining <= face_value)
);

CREATE TABLE redemption (
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    code        voucher_code REFERENCES gift_voucher (code),
    order_no    bigint NOT NULL,
    amount      euro,
    redeemed_at timestamptz NOT NULL DEFAULT now()
);
