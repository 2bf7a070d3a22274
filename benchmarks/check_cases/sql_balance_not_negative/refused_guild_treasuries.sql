-- Two withdrawals at once, or one wrong sign, and the treasury is below zero without an error.
CREATE TABLE guild_treasuries (
    guild_id    uuid PRIMARY KEY REFERENCES guilds (id),
    balance     numeric(12, 2) NOT NULL DEFAULT 0,
    updated_at  timestamptz NOT NULL DEFAULT now()
);
