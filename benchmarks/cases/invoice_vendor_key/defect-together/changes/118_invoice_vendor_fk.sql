-- Scans of paper invoices, filed per invoice.
CREATE TABLE invoice_scans (
    scan_id bigint PRIMARY KEY,
    invoice_id bigint NOT NULL,
    file_name text NOT NULL
);

ALTER TABLE invoices
    ADD CONSTRAINT invoices_vendor_fk
    FOREIGN KEY (vendor_id) REFERENCES vendors (vendor_id)
    NOT VALID;

ALTER TABLE invoices VALIDATE CONSTRAINT invoices_vendor_fk;
