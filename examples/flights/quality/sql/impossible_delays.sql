SELECT * FROM {{ target }}
WHERE departure_delay > {{ most_minutes }} OR departure_delay < -60
