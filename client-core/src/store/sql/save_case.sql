INSERT INTO case_local (
    id, own, state, created_at, submitted_at, submit, dirty, dirty_since, base, base_rev, facts,
    acked_heads, repairs, ledger, ledger_epoch, attention, attention_at, mine, day, mode, outcome, task
) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20, ?21, ?22)
ON CONFLICT (id) DO UPDATE SET
    own = excluded.own, state = excluded.state, submitted_at = excluded.submitted_at, submit = excluded.submit,
    dirty = excluded.dirty, dirty_since = excluded.dirty_since, base = excluded.base, base_rev = excluded.base_rev,
    facts = excluded.facts, acked_heads = excluded.acked_heads, repairs = excluded.repairs,
    ledger = excluded.ledger, ledger_epoch = excluded.ledger_epoch,
    attention = excluded.attention, attention_at = excluded.attention_at,
    mine = excluded.mine, day = excluded.day, mode = excluded.mode, outcome = excluded.outcome, task = excluded.task
