CREATE TABLE public_holiday (
    holiday_id  uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    country     char(2) NOT NULL CHECK (country = upper(country)),
    region      varchar(6) CHECK (region <> ''),   -- ISO 3166-2 without the country
    day         date NOT NULL,
    name        text NOT NULL,
    half_day    boolean NOT NULL DEFAULT false,
    imported_at timestamptz NOT NULL DEFAULT now()
);

CREATE INDEX public_holiday_by_day ON public_holiday (day);
CREATE UNIQUE INDEX public_holiday_once ON public_holiday (country, region, day);
CREATE UNIQUE INDEX public_holiday_nationwide ON public_holiday (country, day, region)
    WHERE region IS NULL;
