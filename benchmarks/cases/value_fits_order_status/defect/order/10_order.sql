CREATE TABLE sales_order (
    order_no    varchar(20) PRIMARY KEY,
    status      varchar(12) NOT NULL DEFAULT 'new',
    total_cents bigint NOT NULL CHECK (total_cents >= 0),
    placed_at   timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT sales_order_status CHECK (
        status IN ('new', 'paid', 'packed', 'shipped', 'returned', 'refunded', 'partially_refunded')
    )
);
