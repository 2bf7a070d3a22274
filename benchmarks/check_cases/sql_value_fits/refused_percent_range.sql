CREATE TABLE survey_answers (
    answer_id bigserial PRIMARY KEY,
    progress numeric(4,2) NOT NULL DEFAULT 0,
    state varchar(8) NOT NULL,
    CONSTRAINT progress_is_percent CHECK (progress BETWEEN 0 AND 100)
);
