-- Which unit usually handles what, and where: what the dispatch form suggests. `category` is the beginning of a written
-- category (scheme:kind:code), `grid` the beginning of a grid's code, each '' for any; `unit` handles.
-- @clustered
CREATE TABLE dispatch_rule (
    district TEXT NOT NULL,
    category TEXT NOT NULL,
    grid TEXT NOT NULL,
    unit TEXT NOT NULL,
    at BIGINT NOT NULL,
    PRIMARY KEY (district, category, grid)
);
