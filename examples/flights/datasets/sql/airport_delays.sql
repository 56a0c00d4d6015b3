-- A mean of means needs the number of flights behind each of them.
INSERT INTO flights.analytics.airport_delays
SELECT
  d.day,
  d.origin,
  p.name,
  SUM(d.flights),
  SUM(d.cancelled),
  SUM(d.departure_delay * (d.flights - d.cancelled)) / NULLIF(SUM(d.flights - d.cancelled), 0)
FROM flights.analytics.daily_flights d
JOIN flights.raw.airports p ON p.faa = d.origin
WHERE d.day = DATE '{{ ds }}'
GROUP BY d.day, d.origin, p.name
