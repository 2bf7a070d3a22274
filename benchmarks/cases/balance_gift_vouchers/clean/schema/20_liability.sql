-- What we owe to holders of vouchers, for the balance sheet.
CREATE VIEW voucher_liability AS
SELECT date_trunc('year', sold_at) AS sold_in, sum(remaining) AS owed
  FROM gift_voucher
 WHERE expires_on IS NULL OR expires_on >= current_date
 GROUP BY 1;
