SELECT id,
       state = 'submitted' AND dirty = 0,
       outcome IN ('filed', 'case_closed', 'void'),
       (SELECT COUNT(*) FROM photo WHERE case_id = case_local.id),
       (SELECT COUNT(*) FROM photo WHERE case_id = case_local.id AND photo.state = 'sent')
FROM case_local WHERE own = 1 ORDER BY ord DESC
