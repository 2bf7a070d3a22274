-- Scans of paper invoices, filed per invoice.
CREATE TABLE invoice_scans (
    scan_id bigint PRIMARY KEY,
    invoice_id bigint NOT NULL,
    file_name text NOT NULL
);

SET LOCAL lock_timeout = '4s';

ALTER TABLE invoices
    ADD CONSTRAINT invoices_vendor_fk
    FOREIGN KEY (vendor_id) REFERENCES vendors (vendor_id)
    DEFERRABLE INITIALLY DEFERRED;
