ALTER TABLE sitting ADD CONSTRAINT sitting_paper_start_key UNIQUE (paper, starts_at);

ALTER TABLE seat_allocation
    ADD CONSTRAINT seat_allocation_pkey PRIMARY KEY (sitting_id, candidate_no),
    ADD CONSTRAINT seat_allocation_sitting_fkey FOREIGN KEY (sitting_id) REFERENCES sitting (id) ON DELETE CASCADE;

-- a chair holds one person
ALTER TABLE seat_allocation
    ADD CONSTRAINT seat_allocation_seat_key UNIQUE (sitting_id, hall, wing, seat_row, seat_no);
