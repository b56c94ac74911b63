-- Finish: from when to when a storm lasted. Tables: cores, edges.

CREATE OR REPLACE TEMP TABLE windows AS
SELECT
    row_number() OVER (ORDER BY cores.first, kind, place) AS storm,
    kind,
    place,
    p_value,
    least(cores.first, min(edges.first)) AS start,
    greatest(cores.last, max(edges.last)) AS finish
FROM cores
LEFT JOIN edges USING (kind, place, island)
GROUP BY kind, place, island, p_value, cores.first, cores.last;
