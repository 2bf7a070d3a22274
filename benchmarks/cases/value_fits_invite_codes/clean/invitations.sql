CREATE TABLE invitation (
    code          varchar(32) PRIMARY KEY DEFAULT md5(gen_random_uuid()::text),
    invited_email text NOT NULL UNIQUE,
    inviter_id    bigint NOT NULL,
    created_at    timestamptz NOT NULL DEFAULT now(),
    expires_at    timestamptz NOT NULL DEFAULT now() + interval '14 days',
    accepted_at   timestamptz,
    CHECK (expires_at > created_at)
);

CREATE INDEX invitation_open ON invitation (expires_at) WHERE accepted_at IS NULL;

-- A new code for an old invitation.
CREATE FUNCTION renew_invitation(p_email text) RETURNS text
LANGUAGE sql
AS $$
    UPDATE invitation
       SET code = DEFAULT, expires_at = now() + interval '14 days'
     WHERE invited_email = p_email AND accepted_at IS NULL
    RETURNING code;
$$;
