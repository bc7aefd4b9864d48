DELETE FROM case_local;
DELETE FROM preview_out;
DELETE FROM mobile_data;
DELETE FROM category;
DELETE FROM grid;
DELETE FROM void_reason;
DELETE FROM unit;
DELETE FROM phone;
INSERT INTO phone (one) VALUES (1);
