UPDATE change_out SET acked = 0;
UPDATE intent SET state = 'sent' WHERE state = 'acked' AND kind IN ('edit', 'detach')
  AND seq <= (SELECT MAX(upto) FROM change_out WHERE change_out.case_id = intent.case_id);
UPDATE case_local SET acked_heads = NULL;
UPDATE case_local SET submit = 1 WHERE submit = 2;
UPDATE request SET state = 'pending' WHERE state = 'accepted';
UPDATE photo SET state = 'waiting', sent = 0 WHERE state = 'sent';
DELETE FROM preview_out;
