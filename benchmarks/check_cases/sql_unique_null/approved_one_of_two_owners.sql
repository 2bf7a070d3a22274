-- A folder belongs to a user or to a team, never to both or neither: each key holds where the other one's owner is NULL.
CREATE TABLE folders (
    id       bigserial PRIMARY KEY,
    user_id  bigint REFERENCES users (id),
    team_id  bigint REFERENCES teams (id),
    name     text NOT NULL,
    CHECK (num_nonnulls(user_id, team_id) = 1),
    UNIQUE (user_id, name),
    UNIQUE (team_id, name)
);
