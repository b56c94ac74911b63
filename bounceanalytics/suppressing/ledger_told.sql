-- Words (table told) become evidence.
INSERT INTO evidence (
    key, class, moment, number, known_from, known_to, up_to, weight, verdict, domain, reason, code, explanation, source,
    record, hold_until, review_on, decides
)
SELECT
    key, class, moment,
    1 + coalesce(
        (
            SELECT max(other.number)
            FROM evidence AS other
            WHERE other.key = told.key AND other.class = told.class AND other.moment = told.moment
        ),
        0
    ),
    known_from, known_to, up_to, weight, verdict, domain, reason, code, explanation, source, record, hold_until,
    review_on, weight > 0
FROM temp.told;
