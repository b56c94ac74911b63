-- The hours that are raised or a storm, without those of a domain whose group has the same storm. Views: refused; table:
-- places.

SELECT refused.*
FROM refused
ANTI JOIN (
    SELECT mailbox AS place, hour
    FROM (FROM refused WHERE storm AND place[1] IN ('#', '"')) AS struck
    JOIN places USING (place)
) AS covered USING (place, hour)
