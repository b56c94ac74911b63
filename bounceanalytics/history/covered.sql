-- While the exports of an ESP hold deliveries, a letter whose sending they do not hold was sent before they begin. Table:
-- covered_counts.

CREATE OR REPLACE TEMP TABLE covered AS
SELECT esp, min(begins) AS begins, max(ends) AS ends
FROM covered_counts
GROUP BY esp;
