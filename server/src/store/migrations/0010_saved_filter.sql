-- Lists of cases that people keep under a name (常用条件): the query of their address. Nobody else's business, and no
-- part of the record: whoever leaves takes them along.
-- @clustered
CREATE TABLE saved_filter (
    user_id TEXT NOT NULL REFERENCES user_account (id),
    name TEXT NOT NULL,
    query TEXT NOT NULL,
    at BIGINT NOT NULL,
    PRIMARY KEY (user_id, name)
);
