-- Finish: hours in which an ESP sent little beside an hour before; what comes in then may answer the mail of that time.
-- `since` is when that began. Tables: sender_hours; view: candidates. Parameters: late hours; times, so much more was sent;
-- letter, hours that a mailing may take.

CREATE OR REPLACE TEMP TABLE quiet AS
SELECT hours.provider, hours.hour, max(earlier.hour) - to_hours($letter) AS since
FROM (FROM sender_hours SEMI JOIN candidates USING (hour)) AS hours
JOIN sender_hours AS earlier
    ON earlier.provider = hours.provider
    AND earlier.hour BETWEEN hours.hour - to_hours($late) AND hours.hour - to_hours(1)
    AND earlier.tried >= $times * hours.tried
GROUP BY hours.provider, hours.hour;
