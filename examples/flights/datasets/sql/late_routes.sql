CREATE TABLE IF NOT EXISTS flights.analytics.late_routes (
  day DATE,
  origin VARCHAR,
  destination VARCHAR,
  flights BIGINT,
  late BIGINT,
  worst_delay BIGINT
)
