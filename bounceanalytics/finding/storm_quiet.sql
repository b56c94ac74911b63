-- Finish: hours in which an ESP sent little beside an hour before, or soon after; what comes in then may answer the mail of
-- that time, from `since` to `until`. Tables: sender_hours; view: candidates. Parameters: late hours; wrong hours, by which
-- clocks differ; times, so much more was sent; letter, hours that a mailing may take.

CREATE OR REPLACE TEMP TABLE quiet AS
SELECT
    hours.provider,
    hours.hour,
    coalesce(max(others.hour) FILTER (others.hour < hours.hour) - to_hours($letter), hours.hour) AS since,
    coalesce(min(others.hour) FILTER (others.hour > hours.hour) + to_hours($letter), hours.hour) AS until
FROM (FROM sender_hours SEMI JOIN candidates USING (hour)) AS hours
JOIN sender_hours AS others
    ON others.provider = hours.provider
    AND others.hour BETWEEN hours.hour - to_hours($late) AND hours.hour + to_hours($wrong)
    AND others.tried >= $times * hours.tried
GROUP BY hours.provider, hours.hour;
