CREATE TABLE survey_answers (
    answer_id bigserial PRIMARY KEY,
    progress numeric(4,2) NOT NULL DEFAULT 0.00, -- percent; see the check
    state varchar(8) NOT NULL,
    CONSTRAINT progress_is_percent CHECK (NOT progress IS NULL AND progress >= 0.00 AND 100.00 >= progress)
);
