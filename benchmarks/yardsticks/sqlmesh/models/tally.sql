MODEL (
  name daily.tally,
  kind INCREMENTAL_BY_TIME_RANGE (
    time_column day,
    batch_size 1,
    batch_concurrency 1
  ),
  start '2025-01-01',
  end '2025-02-28',
  cron '@daily'
);

SELECT
  CAST(@start_ds AS DATE) AS day,
  n
FROM UNNEST(GENERATE_SERIES(1, 100)) AS t(n)
