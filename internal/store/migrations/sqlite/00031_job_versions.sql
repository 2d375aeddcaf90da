-- +goose Up
-- The definitions that a job has had: what changed in it, when, and by whom.
CREATE TABLE job_versions (
    id               INTEGER PRIMARY KEY AUTOINCREMENT,
    job_id           TEXT NOT NULL,
    label            TEXT NOT NULL,
    authorization_id TEXT NOT NULL,
    managed_by       TEXT NOT NULL,
    spec             TEXT NOT NULL, -- JSON, as in jobs
    actor            TEXT NOT NULL, -- who wrote it; '' if that is not known
    at               INTEGER NOT NULL -- microseconds since 1970
) STRICT;
CREATE INDEX job_versions_job ON job_versions (job_id, id);
INSERT INTO job_versions (job_id, label, authorization_id, managed_by, spec, actor, at)
SELECT id, label, authorization_id, managed_by, spec, '', updated_at FROM jobs ORDER BY id;
