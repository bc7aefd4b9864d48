-- Marks of what this app could not read say nothing of what somebody did here.
DELETE FROM case_local
WHERE gone = 1 AND dirty = 0 AND (attention IS NULL OR attention IN ('app_outdated', 'news_damaged'))
  AND NOT EXISTS (SELECT 1 FROM photo WHERE case_id = case_local.id AND photo.state = 'waiting')
RETURNING id
