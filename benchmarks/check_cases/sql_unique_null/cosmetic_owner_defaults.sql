-- exactly one owner: the service sees to it
CREATE TABLE documents (
    id uuid PRIMARY KEY,
    user_id uuid DEFAULT NULL,
    team_id uuid DEFAULT NULL,
    slug text NOT NULL CHECK (length(slug) > 0),
    CONSTRAINT exactly_one_owner CHECK (user_id IS NULL OR team_id IS NULL),
    UNIQUE (user_id, slug),
    UNIQUE (team_id, slug)
);
