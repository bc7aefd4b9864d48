SELECT (SELECT COUNT(*) FROM case_local WHERE state = 'draft'),
       (SELECT COUNT(*) FROM case_local WHERE attention IS NOT NULL
            AND EXISTS (SELECT 1 FROM intent WHERE case_id = case_local.id AND kind = 'edit' AND refused IS NOT NULL)),
       (SELECT COUNT(DISTINCT sha256) FROM photo WHERE state = 'refused')
