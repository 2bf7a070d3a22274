CREATE TABLE readings (id bigint PRIMARY KEY, temperature real, amount double precision, unit text);
CREATE TABLE ingredients (recipe_id bigint, name text, amount real, unit text);
CREATE TABLE edges (source bigint, target bigint, cost double precision, reverse_cost double precision);
CREATE TABLE places (id bigint PRIMARY KEY, latitude double precision, longitude double precision, rating real);
CREATE TABLE scores (id bigint PRIMARY KEY, credit_score real, total_score double precision, probability real);
CREATE TABLE parcels (id bigint PRIMARY KEY, weight real, total_weight real, volume real);
