UPDATE change_out SET acked = 0;
UPDATE intent SET state = 'sent' WHERE state = 'acked' AND kind IN ('edit', 'detach')
  AND seq <= (SELECT MAX(upto) FROM change_out WHERE change_out.case_id = intent.case_id);
UPDATE case_local SET acked_heads = NULL;
-- A report made on another phone of the same person is brought by each of them.
UPDATE case_local SET submit = 1 WHERE submit = 2 OR (mine = 1 AND state = 'submitted');
UPDATE request SET state = 'pending' WHERE state = 'accepted';
UPDATE photo SET state = 'waiting', sent = 0 WHERE state = 'sent';
DELETE FROM preview_out;
