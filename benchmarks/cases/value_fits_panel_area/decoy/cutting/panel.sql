CREATE TYPE panel_material AS ENUM ('plywood', 'mdf', 'glass', 'aluminium');

CREATE TABLE cutting_job (
    job_no   text PRIMARY KEY,
    due_on   date
);

CREATE TABLE panel (
    id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    job_no     text NOT NULL REFERENCES cutting_job,
    material   panel_material NOT NULL DEFAULT 'mdf',
    width_dmm  integer NOT NULL CHECK (width_dmm BETWEEN 1 AND 60000),
    height_dmm integer NOT NULL CHECK (height_dmm BETWEEN 1 AND 35000),
    area_sqdmm integer GENERATED ALWAYS AS (width_dmm * height_dmm) STORED,
    edge_banding boolean NOT NULL DEFAULT false
);

CREATE VIEW job_area AS
SELECT job_no, material, sum(area_sqdmm) / 100000000.0 AS square_metres
  FROM panel
 GROUP BY job_no, material;
