"""The domain: what a subject, photo, preset, stage, job and image is, and how a job runs."""
