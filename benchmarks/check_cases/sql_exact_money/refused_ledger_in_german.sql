CREATE TABLE buchungen (
    nr bigint PRIMARY KEY,
    konto text NOT NULL,
    soll real NOT NULL DEFAULT 0,
    haben real NOT NULL DEFAULT 0,
    waehrung char(3) NOT NULL DEFAULT 'EUR'
);
