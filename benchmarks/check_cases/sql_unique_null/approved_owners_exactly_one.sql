CREATE TABLE likes (
    user_id bigint NOT NULL,
    post_id bigint REFERENCES posts,
    comment_id bigint REFERENCES comments,
    photo_id bigint REFERENCES photos,
    CHECK ((post_id IS NOT NULL)::int + (comment_id IS NOT NULL)::int + (photo_id IS NOT NULL)::int = 1),
    UNIQUE (user_id, post_id),
    UNIQUE (user_id, comment_id),
    UNIQUE (user_id, photo_id)
);
