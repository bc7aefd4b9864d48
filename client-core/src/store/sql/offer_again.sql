UPDATE change_out SET acked = 0;
UPDATE case_local SET acked_heads = NULL;
UPDATE case_local SET submit = 1 WHERE submit = 2;
UPDATE request SET state = 'pending' WHERE state = 'accepted';
UPDATE photo SET state = 'waiting', sent = 0 WHERE state = 'sent';
