-- +goose Up
-- A run's failure in parts. Earlier releases wrote the whole text into error, with the
-- next step at the end. The text before the next step becomes the summary.
UPDATE runs SET error = rtrim(substr(error, 1, length(error) - length(error_next)))
WHERE error_next <> '' AND length(error) > length(error_next)
    AND substr(error, length(error) - length(error_next) + 1) = error_next;
ALTER TABLE runs RENAME COLUMN error TO error_summary;
ALTER TABLE runs ADD COLUMN error_detail TEXT NOT NULL DEFAULT '';
