psql -c "\copy airport FROM 'seed/airports.csv' CSV HEADER"
