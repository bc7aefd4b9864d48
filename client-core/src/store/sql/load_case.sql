SELECT id, own, state, created_at, submitted_at, submit, dirty, dirty_since, base, base_rev, facts,
       acked_heads, repairs, ledger, ledger_epoch, attention, attention_at
FROM case_local WHERE id = ?1
