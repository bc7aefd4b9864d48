-- ?1 before this ord, ?2 only with attention, ?3 only drafts / only others / both, ?4 only mine, ?5 most rows
SELECT ord, id, state, created_at, facts, ledger, submitted_at, dirty, attention, attention_at
FROM case_local
WHERE ord < ?1
  AND (?2 = 0 OR attention IS NOT NULL)
  AND (?3 IS NULL OR (state = 'draft') = ?3)
  AND (?4 = 0 OR mine = 1)
ORDER BY ord DESC LIMIT ?5
