insert into currency (code, name, rate_to_eur) values
    ('EUR', 'Euro', 1.0),
    ('USD', 'US dollar', 1.0841),
    ('IDR', 'Rupiah', 17250.5),
    ('CHF', 'Swiss franc', 0.9612);
