-- ?1 the whole text, ?2 the code in it, ?3 the scheme in it or ''. Rows keep the bundle's order: own tree first.
SELECT scheme, kind, code, name, retired FROM category
WHERE (?3 = '' AND name = ?1) OR (code = ?2 AND (?3 = '' OR scheme = ?3))
ORDER BY name <> ?1, scheme <> (SELECT scheme FROM category ORDER BY ord LIMIT 1), retired, parent IS NULL, kind, ord
LIMIT 1
