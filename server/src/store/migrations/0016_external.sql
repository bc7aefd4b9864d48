-- The numbers of a case, for its page; and the cases of a number that somebody looks for without naming the system.
CREATE INDEX external_ref_case ON external_ref (case_id);
CREATE INDEX external_ref_number ON external_ref (number);
