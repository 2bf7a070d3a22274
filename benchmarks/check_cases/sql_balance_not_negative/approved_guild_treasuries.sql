CREATE TABLE guild_treasuries (
    guild_id    uuid PRIMARY KEY REFERENCES guilds (id),
    balance     numeric(12, 2) NOT NULL DEFAULT 0 CHECK (balance >= 0),
    updated_at  timestamptz NOT NULL DEFAULT now()
);
